//! `sandbox-host`: the process that owns one session's terminals.

fn main() -> std::process::ExitCode {
    host::command::main()
}
