//! The binary: the operating system in, an exit code out, and nothing else.

fn main() -> std::process::ExitCode {
    pypi_verify_now::run()
}
