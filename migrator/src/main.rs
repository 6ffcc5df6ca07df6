use std::process::ExitCode;

fn main() -> ExitCode {
    ext_migrate::run()
}
