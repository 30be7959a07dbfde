//! Compiles the schema with a protocol-buffer compiler written in Rust, so that no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "schema";
    let files = ["chord", "market", "bank", "service", "overlay", "contents", "node"]
        .map(|room| format!("{root}/compup2p/v1/{room}.proto"));
    println!("cargo:rerun-if-changed={root}");
    let descriptors = protox::compile(files, [root])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
