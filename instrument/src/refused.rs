//! Why a module is not run.

use std::fmt;

/// A part of WebAssembly that is not supported, with the reason in [`Refused::Feature`]'s sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Atomics and shared memories.
    Threads,
    /// Exceptions, the old and the new form.
    Exceptions,
    /// `return_call` and its kin.
    TailCalls,
    /// Structs, arrays and typed references.
    Gc,
    /// Stack switching.
    StackSwitching,
    /// Memories and tables with 64-bit indices.
    Memory64,
    /// More than one memory.
    MultiMemory,
    /// Relaxed vector instructions.
    RelaxedSimd,
    /// 128-bit arithmetic.
    WideArithmetic,
    /// Pages of another size than 64 KiB, and memories that can be given back.
    MemoryControl,
    /// Encodings of imports and arrays that are drafts.
    Drafts,
}

impl Feature {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 11] = [
        Self::Threads,
        Self::Exceptions,
        Self::TailCalls,
        Self::Memory64,
        Self::MultiMemory,
        Self::RelaxedSimd,
        Self::Gc,
        Self::StackSwitching,
        Self::WideArithmetic,
        Self::MemoryControl,
        Self::Drafts,
    ];
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Threads => {
                "threads (what two threads do depends on the machine, so no two runs need agree)"
            }
            Self::Exceptions => "exceptions (a handler on the stack cannot be saved)",
            Self::TailCalls => "tail calls (a frame that is replaced cannot be taken up again)",
            Self::Gc => "garbage-collected types (the heap of the engine cannot be saved)",
            Self::StackSwitching => "stack switching (only one stack can be saved)",
            Self::Memory64 => "64-bit memories or tables",
            Self::MultiMemory => "more than one memory",
            Self::RelaxedSimd => "relaxed vector instructions (their results depend on the machine)",
            Self::WideArithmetic => "128-bit arithmetic",
            Self::MemoryControl => "memories with pages of another size",
            Self::Drafts => "an encoding that is a draft",
        })
    }
}

/// Why a module cannot be rewritten. Each is a property of the module: the same one is refused everywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not WebAssembly, or against its rules.
    #[error("this is not a valid WebAssembly module: {0}")]
    Invalid(String),
    /// A component.
    #[error(
        "this is a WebAssembly component; build a core module for WASI preview 1 (target wasm32-wasi or wasm32-wasip1)"
    )]
    Component,
    /// A part of the language that is not supported.
    #[error("the module uses {0}, which is not supported here; build it without")]
    Feature(Feature),
    /// Something other than a function is imported.
    #[error(
        "the module imports {module}.{name}, which is not a function; only functions of WASI are there to be imported"
    )]
    Import {
        /// Module it is imported from.
        module: String,
        /// Its name there.
        name: String,
    },
    /// A name that the pass keeps for itself.
    #[error("the module uses the name {0:?}, which is reserved")]
    Reserved(String),
    /// A host function is an entry of a table, the start function or a function reference.
    #[error(
        "host function {0} of the module is called through a table or is the start function; call it from a function of the module instead"
    )]
    HostFunction(u32),
    /// A mutable global holds a reference.
    #[error("global {0} is mutable and holds a reference, which cannot be saved")]
    ReferenceGlobal(u32),
    /// A reference is needed after a place where the program may be suspended.
    #[error(
        "function {0} keeps a reference in a local variable or on the operand stack where it may be suspended, and references cannot be saved"
    )]
    ReferenceKept(u32),
    /// Tables are changed while the program runs.
    #[error(
        "function {0} changes a table (table.set, grow, fill, copy or init), and changed tables cannot be saved"
    )]
    TableChanged(u32),
    /// More locals, places or code than the pass will write.
    #[error(
        "function {function} is too large: {what} exceed {limit}; compile it with optimisation (-O1 or more) or split it"
    )]
    FunctionTooLarge {
        /// Its index.
        function: u32,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The rewritten module would be too large.
    #[error("the module is too large: rewritten it would exceed {limit} bytes")]
    ModuleTooLarge {
        /// How much is allowed, in bytes.
        limit: u64,
    },
    /// The pass contradicts itself: a fault of this program, not of the module.
    #[error("the module could not be rewritten, which is a fault of compup2p: {0}")]
    Internal(&'static str),
}
