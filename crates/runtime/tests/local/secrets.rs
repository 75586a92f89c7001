//! What a session is given that is secret, and where it is not.

use super::stage::{Stage, wanted};
use domain::{
    secret::{Kind, Value},
    wire::Size,
};
use engine::ports::{Delivered, Runtime};

fn env(name: &str, value: &str) -> Delivered {
    Delivered {
        kind: Kind::Env,
        name: name.to_owned(),
        value: Value::new(value),
    }
}

fn file(name: &str, value: &str) -> Delivered {
    Delivered {
        kind: Kind::File,
        ..env(name, value)
    }
}

#[tokio::test]
async fn programs_get_variables_and_files_and_nothing_of_them_is_on_the_disk_or_a_command_line() {
    let mut stage = Stage::set();
    let mut wanted = wanted("given-aaaaa");
    wanted.secrets = vec![
        env("STRIPE_KEY", "canary-4711"),
        file(".ssh/id_ed25519", "canary-0815\n"),
    ];
    let session = stage.open(&wanted).await;
    stage
        .shell(&session, "shell", Size::default(), &wanted.secrets)
        .await
        .expect("opens");
    for terminal in ["agent", "shell"] {
        let mut person = stage.attach(&session, terminal).await;
        person
            .types("printenv STRIPE_KEY | tr a-z A-Z; stat -c 'mode %a' ~/.ssh/id_ed25519 ~/.ssh; echo en''d\r")
            .await;
        let shown = person.reads("end\r\n").await;
        assert!(
            shown.contains("CANARY-4711") && shown.contains("mode 600\r\nmode 700"),
            "{shown}"
        );
    }
    assert_eq!(stage.files_with("canary-"), [""; 0], "on the disk");
    let spec = std::fs::read_to_string(stage.session(&session).join("host/spec.json")).expect("there");
    assert!(spec.contains("given-aaaaa") && !spec.contains("STRIPE_KEY"));
    for entry in std::fs::read_dir("/proc").expect("reads").flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains("canary-4711"), "{line}");
    }
    stage.local.suspend(&session).await.expect("suspends");
    // Not bound any more: at the next start there is nothing.
    wanted.secrets = Vec::new();
    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("echo \"<$STRIPE_KEY>\"; ls -A ~/.ssh | wc -l; echo en''d\r")
        .await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<>\r\n0\r\n"), "{shown}");
}

#[tokio::test]
async fn what_is_kept_of_a_screen_is_masked_and_the_live_one_is_not() {
    let mut stage = Stage::set();
    let mut wanted = wanted("masked-aaaaa");
    wanted.secrets = vec![env("STRIPE_KEY", "canary-4711-and-more")];
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("echo \"<$STRIPE_KEY>\"; printenv STRIPE_KEY | base64; echo en''d\r")
        .await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<canary-4711-and-more>"), "{shown}");
    stage.local.suspend(&session).await.expect("suspends");
    let last = stage
        .local
        .last_screen(&session, "agent")
        .await
        .expect("reads")
        .expect("kept");
    let last = String::from_utf8_lossy(&last.ansi).into_owned();
    assert!(last.contains("<********************>"), "{last}");
    for text in ["canary-4711", "Y2FuYXJ5LTQ3MTE"] {
        assert!(!last.contains(text), "{last}");
        assert_eq!(stage.files_with(text), [""; 0]);
    }
}

#[tokio::test]
async fn an_agent_that_starts_again_in_its_host_gets_what_is_given_then() {
    let mut stage = Stage::set();
    let mut wanted = wanted("again-aaaaa");
    wanted.secrets = vec![env("KEY", "older-value"), file("old", "x")];
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("exit\r").await;
    stage
        .see(|observation| matches!(observation, engine::ports::Observation::AgentExited { .. }).then_some(()))
        .await;
    wanted.secrets = vec![env("KEY", "newer-value"), file("new", "x")];
    stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo \"<$KEY>\" $(ls ~); echo en''d\r").await;
    let shown = person.reads("end\r\n").await;
    assert!(shown.contains("<newer-value> new\r\n"), "{shown}");
}

#[tokio::test]
async fn a_link_in_the_sessions_home_is_not_followed_and_told() {
    let mut stage = Stage::set();
    let mut wanted = wanted("linked-aaaaa");
    let session = stage.open(&wanted).await;
    stage.local.suspend(&session).await.expect("suspends");
    let outside = stage.outside().join("outside");
    std::fs::create_dir(&outside).expect("made");
    std::os::unix::fs::symlink(&outside, stage.session(&session).join("home/.ssh")).expect("linked");
    wanted.secrets = vec![file(".ssh/id_ed25519", "canary")];
    let reason = stage.open_in_vain(&wanted).await;
    assert!(
        reason.contains(".ssh/id_ed25519") && reason.contains("link"),
        "{reason}"
    );
    assert_eq!(std::fs::read_dir(&outside).expect("reads").count(), 0);
}
