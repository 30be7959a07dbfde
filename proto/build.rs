//! Compiles the schema with a protocol-buffer compiler written in Rust, so that no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "schema";
    let files = ["chord", "market", "bank", "service", "overlay", "contents", "node", "journal"]
        .map(|room| format!("{root}/compup2p/v1/{room}.proto"));
    println!("cargo:rerun-if-changed={root}");
    let descriptors = protox::compile(files, [root])?;
    // An end is several times as large as what most notes hold.
    let ended = ".compup2p.v1.Note.body.ended";
    prost_build::Config::new().boxed(ended).compile_fds(descriptors)?;
    Ok(())
}
