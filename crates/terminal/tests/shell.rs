//! A terminal with a real shell behind it.

mod support;

use domain::wire::{Exit, FromTerminal};
use support::{person, shell, view};

#[tokio::test]
async fn what_is_typed_is_echoed_and_the_exit_comes_after_the_last_output() {
    let handle = shell("read line; echo \"got $line\"; exit 3");
    let mut viewer = view(&handle, person("ada")).await;
    viewer.type_text("hello\r").await;
    viewer.until_shown("got hello").await;
    let exited = viewer.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
    assert_eq!(exited, FromTerminal::Exited { exit: Exit::Code(3) });
    assert_eq!(handle.status().exit, Some(Exit::Code(3)));
    assert!(
        viewer.texts.contains(&FromTerminal::InputAck { at: 6 }),
        "{:?}",
        viewer.texts
    );

    let mut late = view(&handle, person("bob")).await;
    late.until_shown("got hello").await;
    late.until(|text| matches!(text, FromTerminal::Exited { .. })).await;
    handle.close().await;
}
