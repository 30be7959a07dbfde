//! The arguments of `file`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FileCommand {
    /// Give a file to everybody who asks for its name
    #[command(after_help = "Example:\n  compup2p file publish tools/queens.wasm\n\n\
        It is found under NAME@ACCOUNT and under its hash as long as a node that has it is in the network.\n\n\
        Exit codes:\n  0 published · 2 usage, or no such file · 4 no node is running · 7 too many files")]
    Publish(Publish),
    /// Publish a name no more; who has the file already goes on to have it
    #[command(after_help = "Example:\n  compup2p file withdraw queens.wasm\n\n\
        Exit codes:\n  0 withdrawn · 2 no such name · 4 no node is running")]
    Withdraw {
        /// The name
        name: String,
    },
    /// Show the files that this node has published
    #[command(after_help = "Example:\n  compup2p file list\n\nExit codes:\n  0 shown · 4 no node is running")]
    List,
    /// Find out what a name stands for, and who has it
    #[command(after_help = "Example:\n  compup2p file find queens.wasm@3f…\n\n\
        Exit codes:\n  0 found · 2 usage · 3 nobody has it · 4 no node is running")]
    Find {
        /// NAME of your own, NAME@ACCOUNT, or the 64 hexadecimal digits of a hash
        what: String,
    },
    /// Bring a public file from whoever has it
    #[command(after_help = "Example:\n  compup2p file get queens.wasm@3f… --to queens.wasm\n\n\
        Exit codes:\n  0 written · 2 usage · 3 nobody has it · 4 no node is running, or whoever has it is not reached")]
    Get(Get),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Publish {
    /// The file
    pub(in crate::cli) file: PathBuf,
    /// What it is called [default: the file's own name]
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Get {
    /// NAME of your own, NAME@ACCOUNT, or the 64 hexadecimal digits of a hash
    pub(in crate::cli) what: String,
    /// Where to write it [default: its name, in this directory]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to: Option<PathBuf>,
    /// A code server that is asked if nobody in the network has it, such as `http://code.example/files`
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) from: Vec<String>,
}
