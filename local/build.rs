//! Says in one sentence what other systems would say in a hundred errors.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_UNIX").is_none() {
        println!(
            "cargo::error=chatctl and chatctl-local run on Linux and macOS only; on Windows, build and run them in WSL, the Windows Subsystem for Linux"
        );
    }
}
