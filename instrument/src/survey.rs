//! What has to be known of the whole module before a function can be rewritten.

mod body;
mod graph;

use crate::Refused;
use crate::flat::index;
use crate::layout::HOST;
use body::Body;
pub(crate) use graph::UNCOUNTED;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{
    ConstExpr, ElementItems, ElementSectionReader, ExportSectionReader, FuncType, GlobalType,
    ImportSectionReader, Operator, Parser, Payload, TypeRef, ValType,
};

/// What is known of a module.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Its function types.
    pub(crate) types: Vec<FuncType>,
    /// How many of its functions are the host's.
    pub(crate) imports: u32,
    /// Type of each function, the host's first.
    pub(crate) functions: Vec<u32>,
    /// Whether it has a linear memory.
    pub(crate) memory: bool,
    /// Its globals.
    pub(crate) globals: Vec<GlobalType>,
    /// The function of its start section.
    pub(crate) start: Option<u32>,
    /// The data segments that it drops, in ascending order: each gets a global that says whether it has.
    pub(crate) dropped: BTreeSet<u32>,
    /// For each function whether it can be suspended.
    pub(crate) suspendable: Vec<bool>,
    /// For each function whether its frames are counted against the limit of the stack.
    pub(crate) counted: Vec<bool>,
    /// For each type whether what is called through a table by it can be suspended.
    pub(crate) indirect: Vec<bool>,
    /// Functions of which references exist.
    taken: BTreeSet<u32>,
    /// The functions of the module itself, in order.
    bodies: Vec<Body>,
}

/// Looks a valid module over.
///
/// # Errors
/// If there is something in it that cannot be supported.
pub(crate) fn survey(module: &[u8]) -> Result<Survey, Refused> {
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(module) {
        survey.payload(payload.map_err(invalid)?)?;
    }
    if let Some(host) = survey.taken.iter().chain(&survey.start).find(|function| **function < survey.imports)
    {
        return Err(Refused::HostFunction(*host));
    }
    survey.walk();
    Ok(survey)
}

/// The error for what the parser finds.
pub(crate) fn invalid(error: wasmparser::Error) -> Refused {
    Refused::Invalid(error.to_string())
}

impl Survey {
    /// Type of a function.
    pub(crate) fn type_of(&self, function: u32) -> Option<&FuncType> {
        self.types.get(*self.functions.get(function as usize)? as usize)
    }

    fn payload(&mut self, payload: Payload<'_>) -> Result<(), Refused> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    self.types.push(ty.map_err(invalid)?);
                }
            }
            Payload::ImportSection(section) => self.imports(section)?,
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty.map_err(invalid)?);
                }
            }
            Payload::MemorySection(section) => self.memory = section.count() > 0,
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global.map_err(invalid)?;
                    if global.ty.mutable && matches!(global.ty.content_type, ValType::Ref(_)) {
                        return Err(Refused::ReferenceGlobal(index(self.globals.len())));
                    }
                    self.globals.push(global.ty);
                    self.references(&global.init_expr)?;
                }
            }
            Payload::ExportSection(section) => exports(section)?,
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => self.elements(section)?,
            Payload::TableSection(section) => {
                for table in section {
                    if let wasmparser::TableInit::Expr(init) = table.map_err(invalid)?.init {
                        self.references(&init)?;
                    }
                }
            }
            Payload::CodeSectionEntry(code) => {
                let function = self.imports + index(self.bodies.len());
                let body = body::read(&code, function, &mut self.taken, &mut self.dropped)?;
                self.bodies.push(body);
            }
            _ => {}
        }
        Ok(())
    }

    fn imports(&mut self, section: ImportSectionReader<'_>) -> Result<(), Refused> {
        for import in section.into_imports() {
            let import = import.map_err(invalid)?;
            if import.module == HOST {
                return Err(Refused::Reserved(import.module.into()));
            }
            let TypeRef::Func(ty) = import.ty else {
                return Err(Refused::Import { module: import.module.into(), name: import.name.into() });
            };
            self.imports += 1;
            self.functions.push(ty);
        }
        Ok(())
    }

    fn elements(&mut self, section: ElementSectionReader<'_>) -> Result<(), Refused> {
        for element in section {
            match element.map_err(invalid)?.items {
                ElementItems::Functions(functions) => {
                    for function in functions {
                        self.taken.insert(function.map_err(invalid)?);
                    }
                }
                ElementItems::Expressions(_, expressions) => {
                    for expression in expressions {
                        self.references(&expression.map_err(invalid)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes the functions of which an expression makes references.
    fn references(&mut self, expression: &ConstExpr<'_>) -> Result<(), Refused> {
        let mut reader = expression.get_operators_reader();
        while !reader.eof() {
            if let Operator::RefFunc { function_index } = reader.read().map_err(invalid)? {
                self.taken.insert(function_index);
            }
        }
        Ok(())
    }

    /// Finds out who can be suspended, from who calls whom.
    fn walk(&mut self) {
        let (classes, class_of) = self.classes();
        let graph = graph::Graph {
            imports: self.imports,
            bodies: &self.bodies,
            class_of: &class_of,
            classes: &classes,
        };
        let findings = graph.find();
        self.suspendable = findings.suspendable;
        self.counted = findings.counted;
        self.indirect =
            class_of.iter().map(|class| findings.classes.get(*class as usize) == Some(&true)).collect();
    }

    /// Types that are the same are one class: the functions of each that can be called through a table, and the
    /// class of each type.
    fn classes(&self) -> (Vec<Vec<u32>>, Vec<u32>) {
        let mut known: BTreeMap<(&[ValType], &[ValType]), u32> = BTreeMap::new();
        let mut class_of = Vec::with_capacity(self.types.len());
        for ty in &self.types {
            let next = index(known.len());
            class_of.push(*known.entry((ty.params(), ty.results())).or_insert(next));
        }
        let mut classes = vec![Vec::new(); known.len()];
        for function in &self.taken {
            let class = self.functions.get(*function as usize).and_then(|ty| class_of.get(*ty as usize));
            if let Some(members) = class.and_then(|class| classes.get_mut(*class as usize)) {
                members.push(*function);
            }
        }
        (classes, class_of)
    }
}

fn exports(section: ExportSectionReader<'_>) -> Result<(), Refused> {
    for export in section {
        let name = export.map_err(invalid)?.name;
        if name.strip_prefix(HOST).is_some_and(|rest| rest.starts_with(':')) {
            return Err(Refused::Reserved(name.into()));
        }
    }
    Ok(())
}
