//! A letter as it goes over the wire: two parts, all of it ASCII in short lines, whatever anybody is called.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::ports::Mail;
use lettre::{Address, address::Envelope};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Bytes of a header's word before they are encoded: a word has at most 75 characters.
const WORD: usize = 42;
/// Bytes of a line of a part before they are encoded: 76 characters.
const LINE: usize = 57;
/// Between the parts; no line of base64 has a `_`.
const BOUNDARY: &str = "_between_the_parts_";

/// Whom letters come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct From {
    name: Option<String>,
    address: Address,
}

impl core::str::FromStr for From {
    type Err = anyhow::Error;

    /// Reads `name@host` or `Somebody <name@host>`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, address) = match text.trim().strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text.trim()),
        };
        let address = address.trim().parse().context("it is not an e-mail address")?;
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, address })
    }
}

/// Who sends it to whom, and the letter itself.
pub(crate) fn written(
    from: &From,
    to: Address,
    mail: &Mail,
    now: OffsetDateTime,
) -> anyhow::Result<(Envelope, Vec<u8>)> {
    let date = now.format(&Rfc2822).context("the date cannot be written")?;
    let id: String = mail
        .id
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let sender = match &from.name {
        Some(name) => format!("{} <{}>", encoded(name), from.address),
        None => from.address.to_string(),
    };
    let letter = format!(
        "From: {sender}\r\nTo: {to}\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{id}@{}>\r\nAuto-Submitted: \
         auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{BOUNDARY}\"\r\n\r\n\
         {}{}--{BOUNDARY}--\r\n",
        encoded(&mail.subject),
        from.address.domain(),
        part("plain", &mail.text),
        part("html", &mail.html),
    );
    let envelope = Envelope::new(Some(from.address.clone()), vec![to]).context("there is nobody to send it to")?;
    Ok((envelope, letter.into_bytes()))
}

fn part(kind: &str, text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(LINE).map(|line| STANDARD.encode(line)).collect();
    format!(
        "--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
}

/// Text in a header, as words of RFC 2047: nothing in it can end the header, or begin another.
fn encoded(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ') && text.len() < WORD {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        if word.len() + letter.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter);
    }
    words.push(word);
    let words: Vec<_> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_letters_come_from_is_read_in_both_forms() {
        let read = |text: &str| text.parse::<From>();
        let plain = read("sandbox@example.org").expect("an address");
        assert_eq!(
            (plain.name, plain.address.to_string().as_str()),
            (None, "sandbox@example.org")
        );
        let named = read("\"Sandbox of Zürich\" <sandbox@example.org>").expect("an address");
        assert_eq!(named.name.as_deref(), Some("Sandbox of Zürich"));
        for wrong in ["", "Sandbox", "Sandbox <>", "Sandbox <x", "a@b\r\nBcc: c@d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_name_ends_a_header_and_every_line_is_short_ascii() {
        let mail = Mail {
            id: "0198\r\nX: y".to_owned(),
            to: "new@example.org".to_owned(),
            subject: format!("Ärger\r\nBcc: everybody@example.org {}", "ü".repeat(200)),
            text: "ä".repeat(500),
            html: "\r\n.\r\nQUIT".to_owned(),
        };
        let from: From = "Müller, \"M\"\r\nX: y <sandbox@example.org>"
            .parse()
            .expect("an address");
        let to = mail.to.parse().expect("an address");
        let (_, letter) = written(&from, to, &mail, OffsetDateTime::UNIX_EPOCH).expect("written");
        let letter = String::from_utf8(letter).expect("text");
        for line in letter.split("\r\n") {
            assert!(
                line.len() <= 100 && line.is_ascii() && !line.contains(['\r', '\n']),
                "{line}"
            );
            assert!(
                !line.starts_with("Bcc:") && !line.starts_with("X:") && line != "QUIT",
                "{line}"
            );
        }
        assert!(letter.contains("Message-ID: <0198Xy@example.org>\r\n"), "{letter}");
        assert!(letter.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "{letter}");
    }
}
