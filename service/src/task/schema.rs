//! The elements of a task file as a table: what may stand where, and how often. `docs/task.xsd` says the same
//! to other programs, and a test holds the two together.

use super::checkpoint::MAX_CHECKPOINT_FILES;
use super::fault::Hint;
use super::redundancy::MAX_PROBES;
use super::{MAX_ENTRIES, MAX_SUB_TASKS, MAX_SWEEP_VARIABLES, hint};

/// One kind of element.
pub(super) struct Element {
    /// Its name.
    pub(super) name: &'static str,
    /// What stands in it.
    pub(super) content: Content,
    /// The attributes that it may have.
    pub(super) attributes: &'static [Attribute],
    /// Attributes of the format that this version does not offer.
    pub(super) reserved: &'static [&'static str],
}

/// What stands in an element.
pub(super) enum Content {
    /// Text only.
    Text,
    /// Elements only, in any order.
    Elements {
        /// The elements.
        children: &'static [Child],
        /// Elements of the format that this version does not offer.
        reserved: &'static [&'static str],
    },
}

/// An element inside another one.
pub(super) struct Child {
    /// The element.
    pub(super) element: &'static Element,
    /// The fewest that have to be there.
    pub(super) least: usize,
    /// The most that may be there.
    pub(super) most: usize,
    /// Whether it has to stand before those that do not lead.
    pub(super) leads: bool,
}

/// An attribute.
pub(super) struct Attribute {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether it has to be there.
    pub(super) required: bool,
    /// The values it may have, where there are few.
    pub(super) values: Option<Values>,
}

/// A few words that an attribute chooses from.
pub(super) struct Values {
    /// The words.
    pub(super) words: &'static [&'static str],
    /// The words, for a message.
    pub(super) expected: &'static str,
}

const fn text(name: &'static str) -> Element {
    Element { name, content: Content::Text, attributes: &[], reserved: &[] }
}

const fn file(name: &'static str) -> Element {
    const ATTRIBUTES: &[Attribute] = &[free("as"), free("sha256"), SEARCH];
    Element { name, content: Content::Text, attributes: ATTRIBUTES, reserved: &[] }
}

const fn with(name: &'static str, attributes: &'static [Attribute], children: &'static [Child]) -> Element {
    Element { name, content: Content::Elements { children, reserved: &[] }, attributes, reserved: &[] }
}

const fn holding(name: &'static str, children: &'static [Child]) -> Element {
    Element { name, content: Content::Elements { children, reserved: &[] }, attributes: &[], reserved: &[] }
}

const fn cycles(name: &'static str) -> Element {
    const UNITS: Values =
        Values { words: &["cycles", "Mcycles", "Gcycles"], expected: "`cycles`, `Mcycles` or `Gcycles`" };
    const UNIT: &[Attribute] = &[Attribute { name: "unit", required: false, values: Some(UNITS) }];
    Element { name, content: Content::Text, attributes: UNIT, reserved: &[] }
}

const SEARCH: Attribute = flag("search");

const fn flag(name: &'static str) -> Attribute {
    const WORDS: Values = Values { words: &["true", "false", "1", "0"], expected: "`true` or `false`" };
    Attribute { name, required: false, values: Some(WORDS) }
}

const fn free(name: &'static str) -> Attribute {
    Attribute { name, required: false, values: None }
}

const fn required(name: &'static str) -> Attribute {
    Attribute { name, required: true, values: None }
}

const fn one(element: &'static Element) -> Child {
    Child { element, least: 1, most: 1, leads: false }
}

const fn maybe(element: &'static Element) -> Child {
    Child { element, least: 0, most: 1, leads: false }
}

const fn leading(element: &'static Element) -> Child {
    Child { element, least: 0, most: 1, leads: true }
}

const fn many(element: &'static Element, least: usize, most: usize) -> Child {
    Child { element, least, most, leads: false }
}

/// The root.
pub(super) static TASK_FILE: Element = Element {
    name: "TaskFile",
    content: Content::Elements {
        children: &[leading(&NAME), leading(&BUDGET), leading(&STOP_WHEN), many(&SUB_TASK, 0, usize::MAX)],
        reserved: &[],
    },
    attributes: &[Attribute {
        name: "version",
        required: false,
        values: Some(Values { words: &["1"], expected: "`1`, the only version so far" }),
    }],
    reserved: &[],
};

static SUB_TASK: Element = Element {
    name: "SubTask",
    content: Content::Elements {
        children: &[
            one(&CPU_CYCLES),
            maybe(&WORK),
            maybe(&CHECK_POINT_DATA_SIZE),
            one(&PRICE),
            one(&FILE),
            maybe(&INPUT_PARAMETERS),
            maybe(&INPUT_FILES),
            maybe(&OUTPUT_FILES),
            maybe(&STD_IN),
            maybe(&STD_OUT),
            maybe(&STD_ERR),
            maybe(&ENVIRONMENT),
            maybe(&REQUIREMENTS),
            maybe(&LIMITS),
            maybe(&RETRY),
            maybe(&SWEEP),
            maybe(&DEPENDS_ON),
            maybe(&RUNTIME),
            maybe(&DEADLINE),
            maybe(&PROGRESS),
            maybe(&CHECKPOINT),
            maybe(&REDUNDANCY),
        ],
        reserved: &[],
    },
    attributes: &[free("name")],
    reserved: &[],
};

static REQUIREMENTS: Element = Element {
    name: "Requirements",
    content: Content::Elements {
        children: &[
            maybe(&OS),
            maybe(&ARCH),
            maybe(&OS_VERSION),
            maybe(&SANDBOX),
            maybe(&MIN_CORES),
            maybe(&MIN_MEMORY),
            maybe(&MIN_DISK),
            maybe(&MIN_REPUTATION),
        ],
        reserved: &[],
    },
    attributes: &[],
    reserved: &[],
};

static LIMITS: Element = Element {
    name: "Limits",
    content: Content::Elements {
        children: &[
            maybe(&WALL_TIME),
            maybe(&CPU_TIME),
            maybe(&MEMORY),
            maybe(&DISK),
            maybe(&OUTPUT),
            maybe(&PROCESSES),
            maybe(&NETWORK),
        ],
        reserved: &[],
    },
    attributes: &[],
    reserved: &[],
};

static RETRY: Element = Element {
    name: "Retry",
    content: Content::Elements { children: &[], reserved: &[] },
    attributes: &[free("max"), free("successExitCode"), free("backoff")],
    reserved: &[],
};

static CHECKPOINT: Element =
    with("Checkpoint", &[], &[maybe(&EXIT_CODE), maybe(&INTERVAL), maybe(&CHECKPOINT_FILES), maybe(&COPIES)]);
static CHECKPOINT_FILES: Element = with("Files", &[], &[many(&CHECK_POINT_FILE, 1, MAX_CHECKPOINT_FILES)]);

static REDUNDANCY: Element = with(
    "Redundancy",
    &[flag("adaptive")],
    &[
        maybe(&REPLICAS),
        maybe(&QUORUM),
        maybe(&MAX_REPLICAS),
        maybe(&COMPARE),
        maybe(&VERIFY),
        maybe(&PROBES),
    ],
);
static COMPARE: Element = Element {
    name: "Compare",
    content: Content::Text,
    attributes: &[
        Attribute {
            name: "method",
            required: true,
            values: Some(Values {
                words: &["exact", "text", "numeric", "image", "command"],
                expected: "`exact`, `text`, `numeric`, `image` or `command`",
            }),
        },
        free("abs"),
        free("rel"),
    ],
    reserved: &[],
};
static PROBES: Element = with("Probes", &[], &[many(&PROBE, 1, MAX_PROBES)]);
static PROBE: Element =
    with("Probe", &[], &[maybe(&INPUT_PARAMETERS), maybe(&INPUT_FILES), one(&EXPECTED_FILES)]);
static EXPECTED_FILES: Element = with("ExpectedFiles", &[], &[many(&EXPECTED_FILE, 1, MAX_ENTRIES)]);

static STOP_WHEN: Element = with(
    "StopWhen",
    &[free("of"), free("output"), free("contains"), free("below"), free("above"), free("exitCode")],
    &[],
);

static SWEEP: Element = Element {
    name: "Sweep",
    content: Content::Elements { children: &[many(&SWEEP_VAR, 1, MAX_SWEEP_VARIABLES)], reserved: &[] },
    attributes: &[Attribute {
        name: "mode",
        required: false,
        values: Some(Values { words: &["product", "zip"], expected: "`product` or `zip`" }),
    }],
    reserved: &[],
};

static SWEEP_VAR: Element = Element {
    name: "Var",
    content: Content::Elements { children: &[many(&VALUE, 0, MAX_SUB_TASKS)], reserved: &[] },
    attributes: &[required("name"), free("from"), free("to"), free("step"), free("each-line")],
    reserved: &[],
};

static ENVIRONMENT_VAR: Element =
    Element { name: "Var", content: Content::Text, attributes: &[required("name")], reserved: &[] };

static INPUT_PARAMETERS: Element = holding("InputParameters", &[maybe(&COUNT), many(&PARAM, 0, MAX_ENTRIES)]);
static INPUT_FILES: Element = holding("InputFiles", &[maybe(&COUNT), many(&INPUT_FILE, 0, MAX_ENTRIES)]);
static OUTPUT_FILES: Element = holding("OutputFiles", &[maybe(&COUNT), many(&OUTPUT_FILE, 0, MAX_ENTRIES)]);
static ENVIRONMENT: Element = holding("Environment", &[many(&ENVIRONMENT_VAR, 0, MAX_ENTRIES)]);

static CPU_CYCLES: Element = cycles("CpuCycles");
static WORK: Element = cycles("Work");
static FILE: Element = file("File");
static EXPECTED_FILE: Element = file("ExpectedFile");
static VERIFY: Element = file("Verify");
static INPUT_FILE: Element = Element {
    name: "InputFile",
    content: Content::Text,
    attributes: &[free("as"), free("sha256"), SEARCH, free("from")],
    reserved: &[],
};
static OUTPUT_FILE: Element =
    Element { name: "OutputFile", content: Content::Text, attributes: &[free("as")], reserved: &[] };
static STD_IN: Element =
    Element { name: "StdIn", content: Content::Text, attributes: &[free("from")], reserved: &[] };

static NAME: Element = text("Name");
static BUDGET: Element = text("Budget");
static CHECK_POINT_DATA_SIZE: Element = text("CheckPointDataSize");
static PRICE: Element = text("Price");
static COUNT: Element = text("Count");
static PARAM: Element = text("Param");
static STD_OUT: Element = text("StdOut");
static STD_ERR: Element = text("StdErr");
static VALUE: Element = text("Value");
static OS: Element = text("OS");
static ARCH: Element = text("Arch");
static OS_VERSION: Element = text("OSVersion");
static SANDBOX: Element = text("Sandbox");
static MIN_CORES: Element = text("MinCores");
static MIN_MEMORY: Element = text("MinMemory");
static MIN_DISK: Element = text("MinDisk");
static MIN_REPUTATION: Element = text("MinReputation");
static WALL_TIME: Element = text("WallTime");
static MEMORY: Element = text("Memory");
static DISK: Element = text("Disk");
static OUTPUT: Element = text("Output");
static NETWORK: Element = text("Network");
static CPU_TIME: Element = text("CpuTime");
static PROCESSES: Element = text("Processes");
static DEPENDS_ON: Element = text("DependsOn");
static RUNTIME: Element = text("Runtime");
static DEADLINE: Element = text("Deadline");
static PROGRESS: Element = text("Progress");
static EXIT_CODE: Element = text("ExitCode");
static INTERVAL: Element = text("Interval");
static COPIES: Element = text("Copies");
static CHECK_POINT_FILE: Element = text("CheckPointFile");
static REPLICAS: Element = text("Replicas");
static QUORUM: Element = text("Quorum");
static MAX_REPLICAS: Element = text("MaxReplicas");

impl Element {
    /// The elements that may stand in it.
    pub(super) fn children(&self) -> &'static [Child] {
        match &self.content {
            Content::Text => &[],
            Content::Elements { children, .. } => children,
        }
    }

    /// The elements of the format that this version does not offer in it.
    pub(super) fn reserved_children(&self) -> &'static [&'static str] {
        match &self.content {
            Content::Text => &[],
            Content::Elements { reserved, .. } => reserved,
        }
    }

    /// The names of the elements that may stand in it.
    pub(super) fn child_names(&self) -> Vec<&'static str> {
        self.children().iter().map(|child| child.element.name).collect()
    }

    /// The names of the attributes that it may have.
    pub(super) fn attribute_names(&self) -> Vec<&'static str> {
        self.attributes.iter().map(|attribute| attribute.name).collect()
    }

    /// What an unknown element `name` inside this one was probably meant to be.
    pub(super) fn child_hint(&self, name: &str) -> Option<Hint> {
        match hint::closest(name, self.child_names()) {
            Some(near) => Some(Hint::DidYouMean(near)),
            None => TASK_FILE.holder_of(name).map(|holder| Hint::BelongsIn(holder.name)),
        }
    }

    /// What an unknown attribute `name` of this element was probably meant to be.
    pub(super) fn attribute_hint(&self, name: &str) -> Option<Hint> {
        hint::closest(name, self.attribute_names()).map(Hint::DidYouMean)
    }

    /// The element in this one, or deeper, that may hold a `name`.
    fn holder_of(&'static self, name: &str) -> Option<&'static Self> {
        let mut inner = self.children().iter().map(|child| child.element);
        if inner.clone().any(|child| child.name == name) {
            return Some(self);
        }
        inner.find_map(|child| child.holder_of(name))
    }
}
