//! Who drives a terminal, as one attachment is told: what the audit says of it.

use crate::{Engine, ports::Message};
use domain::{Caller, session::Session, wire::FromTerminal};
use serde_json::json;

/// Follows whether one attachment drives, and has it noted when it begins to.
pub struct Drive {
    engine: Engine,
    caller: Caller,
    session: Session,
    terminal: String,
    seen: Seen,
}

/// What the attachment was told last.
#[derive(Default)]
struct Seen {
    attachment: Option<u64>,
    drives: bool,
    /// The name of another person who drives.
    other: Option<String>,
}

/// That it drives from now on.
#[derive(Debug, PartialEq, Eq)]
enum Begins {
    /// Nobody did.
    Free,
    /// This person did, until now.
    Over(String),
}

impl Drive {
    pub(super) fn new(engine: Engine, caller: Caller, session: Session, terminal: String) -> Self {
        Self {
            engine,
            caller,
            session,
            terminal,
            seen: Seen::default(),
        }
    }

    /// Hears what the terminal says to this attachment. Cheap: words are few beside bytes, and most of them are passed
    /// over unread.
    pub fn hear(&mut self, message: &Message) {
        if let Message::Text(text) = message
            && let Some(begins) = self.seen.hear(text)
        {
            self.note(&begins);
        }
    }

    /// A client that is told nothing may drive from the start.
    pub(super) fn note_plain(&self) {
        self.note(&Begins::Free);
    }

    fn note(&self, begins: &Begins) {
        let (action, detail) = match begins {
            Begins::Free => ("terminal.driven", json!({ "terminal": self.terminal })),
            Begins::Over(name) => (
                "terminal.taken-over",
                json!({
                    "terminal": self.terminal,
                    "before": { "driver": name },
                    "after": { "driver": self.caller.name },
                }),
            ),
        };
        let Session { id, org, .. } = &self.session;
        let entry = self.engine.entry_of(&self.caller, org, action, id.as_str(), detail);
        self.engine.note(&self.caller.person, &self.terminal, entry);
    }
}

impl Seen {
    fn hear(&mut self, text: &str) -> Option<Begins> {
        let kind = text.strip_prefix("{\"type\":\"").unwrap_or_default();
        if !kind.starts_with("attached") && !kind.starts_with("viewers") {
            return None;
        }
        let before = self.drives;
        match serde_json::from_str(text).ok()? {
            FromTerminal::Attached { attachment, driver, .. } => {
                self.attachment = Some(attachment);
                self.drives = driver;
            }
            FromTerminal::Viewers { viewers } => {
                let me = viewers
                    .iter()
                    .find(|viewer| Some(viewer.attachment) == self.attachment)?;
                self.drives = me.driver;
                let other = viewers
                    .iter()
                    .find(|viewer| viewer.driver && viewer.person != me.person);
                let was = std::mem::replace(&mut self.other, other.map(|viewer| viewer.name.clone()));
                if self.drives && !before {
                    return Some(was.map_or(Begins::Free, Begins::Over));
                }
            }
            _ => {}
        }
        (self.drives && !before).then_some(Begins::Free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::wire::{Size, Viewer};

    fn attached(driver: bool) -> String {
        let message = FromTerminal::Attached {
            attachment: 7,
            epoch: 1,
            input: 0,
            size: Size::default(),
            driver,
            may_type: true,
            seq: 0,
            snapshot: false,
        };
        serde_json::to_string(&message).expect("JSON")
    }

    /// Ada is attachment 7, Bob 8.
    fn viewers(driver: Option<&str>) -> String {
        let viewers = [(7, "Ada"), (8, "Bob")].map(|(attachment, name)| Viewer {
            attachment,
            person: name.to_lowercase(),
            name: name.to_owned(),
            driver: driver == Some(name),
            may_type: true,
        });
        serde_json::to_string(&FromTerminal::Viewers {
            viewers: viewers.into(),
        })
        .expect("JSON")
    }

    #[test]
    fn to_attach_as_the_driver_is_told_once() {
        let mut seen = Seen::default();
        assert_eq!(seen.hear(&attached(true)), Some(Begins::Free));
        assert_eq!(seen.hear(&viewers(Some("Ada"))), None);
        assert_eq!(seen.hear("{\"type\":\"input_ack\",\"at\":1}"), None);
        assert_eq!(seen.hear("nonsense"), None);
    }

    #[test]
    fn a_take_over_names_who_drove_before() {
        let mut seen = Seen::default();
        assert_eq!(seen.hear(&attached(false)), None);
        assert_eq!(seen.hear(&viewers(Some("Bob"))), None);
        assert_eq!(seen.hear(&viewers(Some("Ada"))), Some(Begins::Over("Bob".to_owned())));
        assert_eq!(seen.hear(&viewers(Some("Bob"))), None, "it is Bob's to tell");
        assert_eq!(seen.hear(&viewers(None)), None);
        assert_eq!(seen.hear(&viewers(Some("Ada"))), Some(Begins::Free), "nobody drove");
    }
}
