//! Letters: an invitation's link on its way to whom it invites.
//!
//! A letter is written down with its invitation, in one transaction, with the link's secret sealed; it is put into words
//! only to be handed over, and what was sealed is forgotten as soon as it has arrived, is given up or is over. A server
//! that dies in between leaves it to the next: a letter may arrive twice, never not at all without being told.

use crate::{
    Engine, Result,
    ports::{DueLetter, Mail, NewLetter, Place, Unsent},
};
use domain::{
    Timestamp,
    caller::INSTALLATION,
    id::SecretId,
    invitation::{Invitation, Letter},
    secret::Value,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked for letters that are due, besides when one is written.
const LOOK: Duration = Duration::from_secs(5);
/// A letter that was taken is not taken again for so many seconds: longer than a mail server is waited for.
const LEASE: i64 = 180;
/// After a failure it is tried again in so many seconds, doubled each time, up to the last.
const AGAIN_FIRST: i64 = 30;
const AGAIN_LAST: i64 = 3600;
/// It is tried for so many seconds, and so often, at most.
const TRIED_FOR: i64 = 24 * 3600;
const TRIES: u64 = 20;

impl Engine {
    /// The letter of an invitation, sealed; `None` where nothing is posted.
    pub(crate) fn letter(&self, invitation: &Invitation, secret: &str) -> Result<Option<NewLetter>> {
        if self.0.post.site().is_none() {
            return Ok(None);
        }
        let id = SecretId::new(invitation.id.as_str());
        let sealed = self.0.keyring.seal(&place(invitation, &id), &Value::new(secret))?;
        let expires_at = invitation.created_at.plus_seconds(TRIED_FOR).min(invitation.expires_at);
        Ok(Some(NewLetter { sealed, expires_at }))
    }

    /// Sends what is due until `stop`.
    pub(crate) async fn deliver_letters(self, stop: CancellationToken) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.letters.notified() => {}
                _ = look.tick() => {}
            }
            while !stop.is_cancelled() {
                match self.deliver_one().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "letters wait: the store does not tell them"
                        );
                        break;
                    }
                }
            }
        }
    }

    /// Sends the letter that is due longest; whether there was one.
    async fn deliver_one(&self) -> anyhow::Result<bool> {
        let now = self.0.clock.now();
        let Some(due) = self.0.store.take_letter(now, now.plus_seconds(LEASE)).await? else {
            return Ok(false);
        };
        let id = SecretId::new(due.invitation.id.as_str());
        let sent = match self.0.keyring.open(&place(&due.invitation, &id), &due.sealed) {
            Ok(secret) => self.0.post.send(&self.in_words(&due, &secret)).await,
            Err(why) => Err(Unsent::Never(format!(
                "Its link cannot be read any more: {why}. Invite them again."
            ))),
        };
        let (letter, again) = outcome(sent, &due, self.0.clock.now());
        if let Letter::Waiting { why: Some(why) } | Letter::Failed { why } = &letter {
            tracing::warn!(invitation = %due.invitation.id, tries = due.tries, why, "a letter was not sent");
        }
        self.0.store.settle_letter(&due.invitation.id, &letter, again).await?;
        Ok(true)
    }

    fn in_words(&self, due: &DueLetter, secret: &Value) -> Mail {
        let site = self.0.post.site().unwrap_or_default();
        let link = format!("{site}/join/{}", secret.expose());
        let Invitation {
            email, by, expires_at, ..
        } = &due.invitation;
        // One line each, whatever they are called: a subject is a header.
        let org: String = due.org_name.chars().filter(|c| !c.is_control()).collect();
        let until = expires_at.rfc3339();
        let until = until.split('T').next().unwrap_or_default();
        // Nobody knows a person called `the installation`.
        let (invites, unless) = if by == INSTALLATION {
            ("You are invited to".to_owned(), "expect it".to_owned())
        } else {
            (format!("{by} invites you to"), format!("know {by}"))
        };
        let text = format!(
            "{invites} {org} on Sandbox.\n\nAccept here:\n{link}\n\nThe link works once, until {until}. If you do not {unless}, \
             leave this message alone: nothing happens without you.\n"
        );
        let html = format!(
            "<!DOCTYPE html><html lang=\"en\"><body style=\"font-family:sans-serif;line-height:1.5\">\
             <p>{invites} <strong>{org}</strong> on Sandbox.</p><p><a href=\"{link}\">Accept the invitation</a></p>\
             <p>Or open this address:<br>{link}</p><p>The link works once, until {until}. If you do not {unless}, leave this \
             message alone: nothing happens without you.</p></body></html>",
            invites = escaped(&invites),
            unless = escaped(&unless),
            org = escaped(&org),
            link = escaped(&link),
        );
        Mail {
            id: due.invitation.id.to_string(),
            to: email.clone(),
            subject: format!("{invites} {org}"),
            text,
            html,
        }
    }
}

/// What became of a letter, and when it is tried again.
fn outcome(sent: core::result::Result<(), Unsent>, due: &DueLetter, now: Timestamp) -> (Letter, Option<Timestamp>) {
    let why = match sent {
        Ok(()) => return (Letter::Sent, None),
        Err(Unsent::Never(why)) => return (Letter::Failed { why }, None),
        Err(Unsent::Later(why)) => why,
    };
    let doubled = AGAIN_FIRST.saturating_mul(1 << due.tries.saturating_sub(1).min(10));
    let again = now.plus_seconds(doubled.min(AGAIN_LAST));
    if due.tries >= TRIES || again >= due.expires_at {
        return (Letter::Failed { why }, None);
    }
    (Letter::Waiting { why: Some(why) }, Some(again))
}

fn place<'a>(invitation: &'a Invitation, id: &'a SecretId) -> Place<'a> {
    Place {
        org: &invitation.org,
        secret: id,
        version: 1,
        column: "letter",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
