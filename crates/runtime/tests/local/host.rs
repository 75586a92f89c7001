//! `sandbox-host` once more, because a package's tests can only rely on its own programs being built.

fn main() -> std::process::ExitCode {
    host::command::main()
}
