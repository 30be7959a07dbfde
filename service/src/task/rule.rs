//! Rules of the task file that no schema can say, as faults.

use super::hint::shortened;

/// What contradicts itself in a task file. Names are shortened to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// A quorum of more results than are bought.
    #[error("a `Quorum` of {quorum} cannot be reached by {replicas} `Replicas`")]
    QuorumAboveReplicas {
        /// The quorum.
        quorum: u32,
        /// How many are bought.
        replicas: u32,
    },
    /// Fewer executions at most than at first.
    #[error("`MaxReplicas` of {most} is less than {replicas} `Replicas`")]
    ReplicasAboveMost {
        /// How many are bought at first.
        replicas: u32,
        /// The most.
        most: u32,
    },
    /// A tolerance for a comparison that has none.
    #[error("`{attribute}` means nothing for the method `{method}`: it belongs to `numeric` and `image`")]
    NoTolerance {
        /// The attribute.
        attribute: &'static str,
        /// The method.
        method: String,
    },
    /// A program for a comparison that needs none, or none for the one that does.
    #[error("`Compare` {}", if *.has { "names a program, which only the method `command` has" } else { "of the method `command` needs a program, as its text" })]
    CompareProgram {
        /// Whether there is one.
        has: bool,
    },
    /// Checkpoints of no size.
    #[error(
        "there is a `Checkpoint`, but `CheckPointDataSize` is 0: say how large one may become, or leave it out"
    )]
    CheckpointWithoutSize,
    /// A program that saves itself into nothing.
    #[error("a program that ends with `ExitCode` to save itself needs the `Files` that it has written")]
    CheckpointWithoutFiles,
    /// The status of a checkpoint is that of success.
    #[error(
        "the `ExitCode` of a checkpoint is {code}, which means success: it needs one of its own, such as 85"
    )]
    CheckpointExitIsSuccess {
        /// The status.
        code: u8,
    },
    /// A program that nobody but itself can save.
    #[error("a {runtime} program saves itself: give the `ExitCode` and the `Files` of its `Checkpoint`")]
    CheckpointNotTransparent {
        /// What kind of program.
        runtime: &'static str,
    },
    /// A condition without or with several things to look for.
    #[error("`StopWhen` needs one of `contains`, `below`, `above` and `exitCode`, and has {found}")]
    StopConditions {
        /// How many it has.
        found: usize,
    },
    /// An exit status is not in a file.
    #[error("`StopWhen` with `exitCode` looks at no `output`")]
    StopExitOutput,
    /// A result that no sub-task makes.
    #[error("no sub-task that `StopWhen` looks at has the output `{}`", shortened(.output))]
    StopNoOutput {
        /// The output.
        output: String,
    },
    /// A sub-task that does not exist.
    #[error("there is no sub-task `{}`{}", shortened(.name), .hint.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    NoSubTask {
        /// The name.
        name: String,
        /// A similar one.
        hint: Option<String>,
    },
    /// A sub-task that is not a sweep has no points, or not so many.
    #[error("the sub-task `{}` has {points} points: `{}` is none of them", shortened(.name), shortened(.text))]
    NoPoint {
        /// The sub-task.
        name: String,
        /// What was written.
        text: String,
        /// How many points there are; 0 without a sweep.
        points: u32,
    },
    /// Sub-tasks that wait for each other.
    #[error("sub-tasks wait for each other, so that none can begin: {path}")]
    Circle {
        /// Their names with arrows, from each to the one that it waits for.
        path: String,
    },
    /// More dependencies than are kept.
    #[error(
        "the sub-tasks wait for more than {most} others in all; let one sub-task gather what many make, and the others \
         wait for that one"
    )]
    TooManyDependencies {
        /// The most.
        most: usize,
    },
    /// A result that the named sub-task does not have.
    #[error("`{}` is no result of `{}`{}", shortened(.path), shortened(.from), listed(.made))]
    NoSuchResult {
        /// The result.
        path: String,
        /// The sub-task.
        from: String,
        /// The first results that it has.
        made: Vec<String>,
    },
    /// A result that several points of a sweep have.
    #[error(
        "`{}` is a result of several points of `{}`: name the place where one of them is written, or one point",
        shortened(.path), shortened(.from)
    )]
    ResultOfMany {
        /// The result.
        path: String,
        /// The sub-task.
        from: String,
    },
    /// Something that only a file of the buyer has.
    #[error("`{attribute}` means nothing for a result of another sub-task")]
    NotForResults {
        /// The attribute.
        attribute: &'static str,
    },
    /// A probe's files are there before everything else.
    #[error("the input of a probe cannot come from another sub-task")]
    ProbeFrom,
    /// The lines of a sweep that nobody has read.
    #[error("the lines of `{}` are not known here", shortened(.path))]
    NoLines {
        /// The file.
        path: String,
    },
    /// A file without lines.
    #[error("`{}` has no lines: the sweep would make no sub-task", shortened(.path))]
    EmptyLines {
        /// The file.
        path: String,
    },
    /// A line that cannot be a value.
    #[error("line {line} of `{}` has {bytes} bytes: at most {most} are allowed", shortened(.path))]
    LongLine {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

fn listed(made: &[String]) -> String {
    if made.is_empty() {
        return "; it has none".to_owned();
    }
    let quoted: Vec<String> = made.iter().map(|name| format!("`{}`", shortened(name))).collect();
    format!("; it has {}", quoted.join(", "))
}
