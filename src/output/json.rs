//! Output for programs: one JSON value on one line, with the name and version of its form in `schema`.
//!
//! Within a major version of a form, members are added but neither removed nor changed.

use super::view::{Place, Ready};
use crate::control::{Failure, SellerView, TaskLine, TaskView};
use jiff::Timestamp;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Document<T> {
    schema: String,
    #[serde(flatten)]
    body: T,
}

/// `body` as a value of the form `compup2p/NAME/v1`.
pub(super) fn document<T: Serialize>(name: &str, body: T) -> String {
    line(&Document { schema: format!("compup2p/{name}/v1"), body })
}

pub(super) fn task(task: &TaskView) -> String {
    document("task-status", task)
}

pub(super) fn tasks(tasks: &[TaskLine]) -> String {
    #[derive(Serialize)]
    struct Tasks<'a> {
        tasks: &'a [TaskLine],
    }
    document("task-list", Tasks { tasks })
}

pub(super) fn sellers(sellers: &[SellerView]) -> String {
    #[derive(Serialize)]
    struct Sellers<'a> {
        sellers: &'a [SellerView],
    }
    document("sellers", Sellers { sellers })
}

pub(super) fn left(home: &Path, until: Option<Timestamp>) -> String {
    #[derive(Serialize)]
    struct Left<'a> {
        left: bool,
        home: &'a Path,
        /// When it comes back.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    }
    let until = until.map(|until| until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    document("leave", Left { left: true, home, until })
}

pub(super) fn policy(file: &str, meaning: &[String]) -> String {
    #[derive(Serialize)]
    struct Policy<'a> {
        file: &'a str,
        valid: bool,
        meaning: &'a [String],
    }
    document("policy-check", Policy { file, valid: true, meaning })
}

pub(super) fn schema(name: &str, text: &str) -> String {
    #[derive(Serialize)]
    struct Schema<'a> {
        name: &'a str,
        text: &'a str,
    }
    document("schema", Schema { name, text })
}

/// What a tied process says to its parent.
pub(super) fn ready(ready: &Ready) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        ready: &'a Ready,
    }
    line(&Line { ready })
}

pub(super) fn failure(failure: &Failure, faults: &[Place]) -> String {
    #[derive(Serialize)]
    struct Error<'a> {
        code: &'a str,
        message: &'a str,
        hint: &'a str,
        retryable: bool,
        #[serde(skip_serializing_if = "<[Place]>::is_empty")]
        faults: &'a [Place],
    }
    #[derive(Serialize)]
    struct Body<'a> {
        error: Error<'a>,
    }
    let Failure { code, message, hint, retryable, exit: _ } = failure;
    document("error", Body { error: Error { code, message, hint, retryable: *retryable, faults } })
}

pub(super) fn faults(code: &str, places: &[Place]) -> String {
    let lines: Vec<String> = places.iter().map(ToString::to_string).collect();
    failure(&Failure::new(code, lines.join("\n"), 2), places)
}

/// Arguments that are wrong; `text` is what people would see.
pub(super) fn usage(text: &str) -> String {
    let message = text.lines().next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    failure(&Failure::new("usage", message, 2).hint("see `compup2p --help`"), &[])
}

fn line<T: Serialize>(value: &T) -> String {
    // Nothing here can fail to be written: all keys are texts. An error would still be a value.
    let mut text = serde_json::to_string(value).unwrap_or_else(|error| {
        format!(r#"{{"schema":"compup2p/error/v1","error":{{"code":"output","message":"{error}","hint":"","retryable":false}}}}"#)
    });
    text.push('\n');
    text
}
