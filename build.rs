//! Generates the gRPC stubs of the `Node` service, with a protocol-buffer compiler written in Rust.
//!
//! Only the stubs: the messages are the structures that `proto` has generated.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "proto/schema";
    println!("cargo:rerun-if-changed={root}");
    let descriptors = protox::compile([format!("{root}/compup2p/v1/node.proto")], [root])?;
    tonic_prost_build::configure()
        .extern_path(".compup2p.v1", "::proto::wire::v1")
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
