//! What a session's programs may see, touch and take.

use super::stage::{Stage, wanted, wanted_with};
use domain::wire::Size;
use engine::ports::{Observation, Runtime};
use runtime::Options;

/// Whether the kernel closes folders here; says `SKIPPED:` where it does not.
async fn folders_are_closed(stage: &Stage, session: &domain::SessionId) -> bool {
    let status = stage.local.status(session).await.expect("asks").expect("runs");
    let closed = status.enforcement.files.starts_with("landlock");
    if !closed {
        eprintln!("SKIPPED: {}", status.enforcement.files);
    }
    closed
}

#[tokio::test]
async fn nothing_of_the_servers_environment_reaches_a_session() {
    let mut stage = Stage::set();
    let session = stage.open(&wanted("env-aaaaa")).await;
    // This process has these, as every test and every server does.
    for name in ["CARGO_MANIFEST_DIR", "PATH"] {
        assert!(std::env::var_os(name).is_some(), "{name}");
    }
    stage
        .shell(&session, "shell", Size::default(), &[])
        .await
        .expect("opens");
    for terminal in ["agent", "shell"] {
        let mut person = stage.attach(&session, terminal).await;
        person
            .types("env | cut -d= -f1 | sort | tr '\\n' ' '; echo en''d\r")
            .await;
        let shown = person.reads("end").await.to_owned();
        for name in [
            "TERM",
            "COLORTERM",
            "LANG",
            "HOME",
            "PATH",
            "USER",
            "SHELL",
            "TMPDIR",
            "SANDBOX_SESSION_ID",
        ] {
            assert!(shown.contains(&format!("{name} ")), "{terminal}: {name} in {shown}");
        }
        for name in ["CARGO", "RUST", "NEXTEST", "SANDBOX_CGROUP", "SSL_CERT"] {
            assert!(!shown.contains(name), "{terminal}: {name} in {shown}");
        }
        person
            .types("echo \"$HOME\" \"$SANDBOX_SESSION_ID\"; umask; ulimit -c\r")
            .await;
        person.reads("/home env-aaaaa\r\n0022\r\n0\r\n").await;
    }
}

#[tokio::test]
async fn a_variable_that_is_named_for_sessions_reaches_them() {
    let mut stage = Stage::with(Options {
        session_env: vec!["CARGO_PKG_NAME".to_owned(), "NOBODY_HAS_SET_THIS".to_owned()],
        ..Options::default()
    });
    let session = stage.open(&wanted("named-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("echo \"<$CARGO_PKG_NAME>\"\r").await;
    person.reads("<runtime>").await;
}

#[tokio::test]
async fn only_its_own_folders_can_be_written_and_no_others_data_can_be_read() {
    let mut stage = Stage::set();
    let other = stage.open(&wanted("other-aaaaa")).await;
    let session = stage.open(&wanted("closed-aaaaa")).await;
    if !folders_are_closed(&stage, &session).await {
        return;
    }
    std::fs::write(stage.data().join("sandbox.db"), "secret").expect("written");
    std::fs::write(stage.outside().join("diary"), "secret").expect("written");
    std::fs::write(stage.session(&other).join("workspace/theirs"), "secret").expect("written");
    let mut person = stage.attach(&session, "agent").await;
    let data = stage.data().display().to_string();
    let may = [
        "echo x > file".to_owned(),
        "echo x > ~/file".to_owned(),
        "echo x > $TMPDIR/file".to_owned(),
        "f=$(mktemp -p /tmp) && rm $f".to_owned(),
        "echo x > /dev/null".to_owned(),
        "cat /etc/passwd > /dev/null".to_owned(),
        "ls /usr/bin > /dev/null".to_owned(),
        "echo x > /dev/tty".to_owned(),
        "mkdir -p a/b && mv a/b c && rmdir a c".to_owned(),
    ];
    let may_not = [
        format!("cat {data}/sandbox.db"),
        format!("ls {data}"),
        format!("cat {data}/sessions/{other}/workspace/theirs"),
        format!("cat {data}/sessions/{session}/host/key"),
        format!("cat {data}/sessions/{session}/host/spec.json"),
        format!("ls {data}/run"),
        format!("cat {}/diary", stage.outside().display()),
        format!("echo x > {}/new", stage.outside().display()),
        "echo x > /etc/new".to_owned(),
        "echo x > /usr/new".to_owned(),
        "ls /root /home".to_owned(),
        "cat /proc/1/environ".to_owned(),
        "cat /proc/$PPID/environ".to_owned(),
        "kill -0 $PPID".to_owned(),
        "mount -t tmpfs x ~".to_owned(),
        "mknod ~/disk b 254 0".to_owned(),
    ];
    for (number, (command, expected)) in may
        .iter()
        .map(|command| (command, "yes"))
        .chain(may_not.iter().map(|command| (command, "no")))
        .enumerate()
    {
        person
            .types(&format!(
                "({command}) 2>/dev/null && echo {number}=y''es || echo {number}=n''o\r"
            ))
            .await;
        let answers = [format!("{number}=yes"), format!("{number}=no")];
        let shown = person.reads_any(&answers.each_ref().map(String::as_str)).await;
        assert!(
            shown.contains(&format!("{number}={expected}")),
            "{command} should be {expected}:\n{shown}"
        );
    }
}

#[tokio::test]
async fn a_shell_may_end_what_its_agent_runs_but_not_another_sessions_programs() {
    let mut stage = Stage::set();
    let other = stage.open(&wanted("theirs-aaaaa")).await;
    let session = stage.open(&wanted("mine-aaaaa")).await;
    if !folders_are_closed(&stage, &session).await {
        return;
    }
    let mut theirs = stage.attach(&other, "agent").await;
    theirs.types("echo pid=$$.\r").await;
    let their_pid = theirs.reads_number("pid=").await;
    let mut agent = stage.attach(&session, "agent").await;
    agent.types("sleep 1000 & echo pid=$!.\r").await;
    let pid = agent.reads_number("pid=").await;
    stage
        .shell(&session, "shell", Size::default(), &[])
        .await
        .expect("opens");
    let mut shell = stage.attach(&session, "shell").await;
    shell
        .types(&format!(
            "kill -9 {their_pid} || echo refu''sed; kill {pid} && echo do''ne\r"
        ))
        .await;
    shell.reads("refused").await;
    shell.reads("done").await;
    theirs.types("echo al''ive\r").await;
    theirs.reads("alive").await;
}

#[tokio::test]
async fn a_file_larger_than_the_plan_is_cut_off() {
    let mut stage = Stage::set();
    let mut wanted = wanted("large-aaaaa");
    wanted.storage_bytes = Some(1 << 20);
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("head -c 3000000 /dev/zero > big; stat -c size=%s. big\r")
        .await;
    assert_eq!(person.reads_number("size=").await, 1 << 20);
}

#[tokio::test]
async fn a_session_over_its_memory_loses_its_largest_process_and_lives_on() {
    let mut stage = Stage::with(Options {
        meter_ms: 500,
        ..Options::default()
    });
    let mut wanted = wanted_with("memory-aaaaa", &["--norc", "--noprofile"]);
    wanted.memory_bytes = Some(64 << 20);
    let session = stage.open(&wanted).await;
    let mut person = stage.attach(&session, "agent").await;
    // A variable of 200 MB, and no end by itself.
    person
        .types("bash -c 'x=$(head -c 200000000 /dev/zero | tr \"\\0\" x); sleep 1000'; echo ended=$?.\r")
        .await;
    assert_eq!(person.reads_number("ended=").await, 137);
    let status = stage.local.status(&session).await.expect("asks").expect("runs");
    assert!(
        ["watched", "cgroup"]
            .iter()
            .any(|word| status.enforcement.memory.starts_with(word)),
        "{:?}",
        status.enforcement
    );
    person.types("echo al''ive\r").await;
    person.reads("alive").await;
}

#[tokio::test]
async fn a_session_with_too_many_processes_loses_those_over_its_limit() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: the limit of a user's processes counts those of the whole machine's");
        return;
    }
    let mut stage = Stage::with(Options {
        meter_ms: 500,
        session_processes: 20,
        ..Options::default()
    });
    let session = stage.open(&wanted("many-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person
        .types("for i in {1..60}; do sleep 1000 & done 2>/dev/null; echo all-sta''rted\r")
        .await;
    person.reads("all-started").await;
    let fewer = async {
        while stage.programs(&session).len() > 20 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), fewer)
        .await
        .expect("some were ended");
    person.types("echo al''ive\r").await;
    person.reads("alive").await;
}

#[tokio::test]
async fn the_about_page_is_told_what_holds_the_limits() {
    let stage = Stage::set();
    let facts = stage.local.describe().await.expect("describes");
    for name in [
        "name",
        "CPU limit",
        "memory limit",
        "process limit",
        "files",
        "kernel",
        "free disk",
        "git",
    ] {
        let fact = facts.iter().find(|(fact, _)| fact == name);
        assert!(fact.is_some_and(|(_, text)| !text.is_empty()), "{name} in {facts:?}");
    }
}

#[tokio::test]
async fn what_was_left_behind_by_a_program_is_seen_and_ended_with_the_session() {
    let mut stage = Stage::with(Options {
        meter_ms: 500,
        ..Options::default()
    });
    let session = stage.open(&wanted("orphan-aaaaa")).await;
    let mut person = stage.attach(&session, "agent").await;
    person.types("(setsid sleep 1000 &)\r").await;
    stage
        .see(|observation| match observation {
            Observation::Live { status, .. } if status.processes >= 2 => Some(()),
            _ => None,
        })
        .await;
    stage.local.suspend(&session).await.expect("suspends");
    assert!(stage.programs(&session).is_empty());
}
