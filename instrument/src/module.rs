//! The module around the functions.

use crate::emit::{Source, Written, emit};
use crate::flat::{index, lower};
use crate::layout::{self, Kind, Layout, Saved};
use crate::survey::{Survey, UNCOUNTED, invalid};
use crate::work::Work;
use crate::{Instrumented, Options, Refused, live, nan, regions};
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, BranchHints, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection,
    EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    ImportSection, Instruction as I, MemorySection, MemoryType, Module, TableSection, TypeSection, ValType,
};
use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator,
    ValidatorResources,
};

/// Bytes of a page of memory.
const PAGE: u64 = 65_536;

/// Where what the pass adds is in the rewritten module.
#[derive(Clone, Debug)]
pub(crate) struct Indices {
    /// Functions of the host in the module as it was; the host's poll comes after them.
    imports: u32,
    pub(crate) ask: u32,
    pub(crate) meter: u32,
    pub(crate) next: u32,
    pub(crate) state: u32,
    pub(crate) top: u32,
    pub(crate) depth: u32,
    /// Memory of frames.
    pub(crate) stack: u32,
    /// What may be counted of frames, in bytes.
    pub(crate) deepest: u32,
    /// For each data segment that may be dropped the global that says so.
    flags: Vec<(u32, u32)>,
}

impl Indices {
    fn new(survey: &Survey, options: &Options) -> Self {
        let flags: Vec<(u32, u32)> =
            survey.dropped.iter().copied().zip(index(survey.globals.len())..).collect();
        let first = index(survey.globals.len() + flags.len());
        Self {
            imports: survey.imports,
            ask: index(survey.functions.len()) + 1,
            meter: first,
            next: first + 1,
            state: first + 2,
            top: first + 3,
            depth: first + 4,
            stack: u32::from(survey.memory),
            deepest: options.stack.min(1 << 30),
            flags,
        }
    }

    /// The global that says whether a data segment was dropped.
    pub(crate) fn dropped(&self, segment: u32) -> Result<u32, Refused> {
        let place = self.flags.binary_search_by_key(&segment, |(segment, _)| *segment);
        let flag = place.ok().and_then(|place| self.flags.get(place));
        flag.map(|(_, flag)| *flag).ok_or(Refused::Internal("a data segment that is never dropped"))
    }

    /// Where functions of the module went.
    pub(crate) fn shift(&self) -> Shift {
        Shift { imports: self.imports }
    }

    fn poll(&self) -> u32 {
        self.imports
    }
}

/// Functions of the module move up by one, for the host's poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shift {
    imports: u32,
}

impl Reencode for Shift {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(if function < self.imports { function } else { function + 1 })
    }
}

/// The sections of the module on their way.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    data_count: Option<DataCountSection>,
    hints: BranchHints,
    code: CodeSection,
    data: DataSection,
}

/// Rewrites a module that is valid and was looked over.
pub(crate) fn rewrite(module: &[u8], survey: &Survey, options: &Options) -> Result<Instrumented, Refused> {
    let mut rewriting = Rewriting {
        survey,
        options,
        indices: Indices::new(survey, options),
        sections: Sections::default(),
        layout: Layout { memory: survey.memory, start: survey.start.is_some(), ..Layout::default() },
        work: Work::new(),
        next: survey.imports,
        written: 0,
        allocations: FuncValidatorAllocations::default(),
    };
    let mut validator = Validator::new_with_features(crate::features::supported());
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(invalid)?;
        match validator.payload(&payload).map_err(invalid)? {
            ValidPayload::Func(function, body) => rewriting.function(function, &body)?,
            _ => rewriting.section(payload)?,
        }
    }
    rewriting.finish()
}

struct Rewriting<'s> {
    survey: &'s Survey,
    options: &'s Options,
    indices: Indices,
    sections: Sections,
    layout: Layout,
    work: Work,
    /// Index of the next function.
    next: u32,
    /// Bytes of code so far.
    written: u64,
    allocations: FuncValidatorAllocations,
}

impl Rewriting<'_> {
    fn section(&mut self, payload: Payload<'_>) -> Result<(), Refused> {
        let (shift, sections) = (&mut self.indices.shift(), &mut self.sections);
        match payload {
            Payload::TypeSection(section) => shift.parse_type_section(&mut sections.types, section),
            Payload::ImportSection(section) => shift.parse_import_section(&mut sections.imports, section),
            Payload::FunctionSection(section) => {
                shift.parse_function_section(&mut sections.functions, section)
            }
            Payload::TableSection(section) => shift.parse_table_section(&mut sections.tables, section),
            Payload::MemorySection(section) => shift.parse_memory_section(&mut sections.memories, section),
            Payload::GlobalSection(section) => shift.parse_global_section(&mut sections.globals, section),
            Payload::ExportSection(section) => shift.parse_export_section(&mut sections.exports, section),
            Payload::ElementSection(section) => shift.parse_element_section(&mut sections.elements, section),
            Payload::DataSection(section) => shift.parse_data_section(&mut sections.data, section),
            Payload::DataCountSection { count, .. } => {
                sections.data_count = Some(DataCountSection { count });
                Ok(())
            }
            _ => Ok(()),
        }
        .map_err(|_| Refused::Internal("a section that cannot be written"))
    }

    fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), Refused> {
        self.work.begin(self.next);
        let mut types = function.into_validator(std::mem::take(&mut self.allocations));
        let mut flat = lower::lower(self.survey, self.next, body, &mut types)?;
        self.allocations = types.into_allocations();
        nan::canonicalise(&mut flat, &mut self.work)?;
        let (live, regions) = if flat.sites > 0 {
            (live::live(&flat, &mut self.work)?, regions::regions(&flat, &mut self.work)?)
        } else {
            Default::default()
        };
        self.layout.suspendable += u32::from(flat.sites > 0);
        self.layout.sites += flat.sites;
        let counted = self.survey.counted.get(self.next as usize) == Some(&true);
        let source = Source { flat: &flat, live: &live, regions: &regions, indices: &self.indices, counted };
        let Written { code, hints } = emit(source)?;
        self.written += code.byte_len() as u64;
        if self.written > self.options.output {
            return Err(Refused::ModuleTooLarge { limit: self.options.output });
        }
        self.next += 1;
        if !hints.is_empty() {
            self.sections.hints.function_hints(self.next, hints);
        }
        self.sections.code.function(&code);
        Ok(())
    }

    fn finish(mut self) -> Result<Instrumented, Refused> {
        self.add_functions();
        self.add_globals();
        self.add_exports();
        let pages = (u64::from(self.indices.deepest) + UNCOUNTED).div_ceil(PAGE);
        let (memory64, shared) = (false, false);
        let ty = MemoryType { minimum: pages, maximum: Some(pages), memory64, shared, page_size_log2: None };
        self.sections.memories.memory(ty);
        let sections = self.sections;
        let mut module = Module::new();
        module.section(&sections.types).section(&sections.imports).section(&sections.functions);
        module.section(&sections.tables).section(&sections.memories).section(&sections.globals);
        module.section(&sections.exports).section(&sections.elements);
        if let Some(count) = &sections.data_count {
            module.section(count);
        }
        module.section(&sections.hints).section(&sections.code).section(&sections.data);
        let module = module.finish();
        if module.len() as u64 > self.options.output {
            return Err(Refused::ModuleTooLarge { limit: self.options.output });
        }
        Ok(Instrumented { module, layout: self.layout })
    }

    /// The host's poll, and the function that asks it.
    fn add_functions(&mut self) {
        let types = index(self.survey.types.len());
        self.sections.types.ty().function([ValType::I64], [ValType::I64]);
        self.sections.types.ty().function([], [ValType::I32]);
        self.sections.imports.import(layout::HOST, layout::POLL, EntityType::Function(types));
        self.sections.functions.function(types + 1);
        self.sections.code.function(&ask(&self.indices));
    }

    fn add_globals(&mut self) {
        let ty = |val_type| GlobalType { val_type, mutable: true, shared: false };
        for (place, global) in self.survey.globals.iter().enumerate().filter(|(_, global)| global.mutable) {
            let kind = match global.content_type {
                wasmparser::ValType::I64 => Kind::I64,
                wasmparser::ValType::F32 => Kind::F32,
                wasmparser::ValType::F64 => Kind::F64,
                wasmparser::ValType::V128 => Kind::V128,
                wasmparser::ValType::I32 | wasmparser::ValType::Ref(_) => Kind::I32,
            };
            self.save(format!("{}:global:{place}", layout::HOST), kind, index(place));
        }
        for (segment, flag) in self.indices.flags.clone() {
            self.sections.globals.global(ty(ValType::I32), &ConstExpr::i32_const(0));
            self.save(format!("{}:dropped:{segment}", layout::HOST), Kind::I32, flag);
        }
        self.sections.globals.global(ty(ValType::I64), &ConstExpr::i64_const(0));
        self.sections.globals.global(ty(ValType::I64), &ConstExpr::i64_const(0));
        for _ in [self.indices.state, self.indices.top, self.indices.depth] {
            self.sections.globals.global(ty(ValType::I32), &ConstExpr::i32_const(0));
        }
        self.save(format!("{}:depth", layout::HOST), Kind::I32, self.indices.depth);
    }

    fn save(&mut self, name: String, kind: Kind, global: u32) {
        self.sections.exports.export(&name, ExportKind::Global, global);
        self.layout.globals.push(Saved { name, kind });
    }

    fn add_exports(&mut self) {
        let exports = &mut self.sections.exports;
        exports.export(layout::METER, ExportKind::Global, self.indices.meter);
        exports.export(layout::NEXT, ExportKind::Global, self.indices.next);
        exports.export(layout::STATE, ExportKind::Global, self.indices.state);
        exports.export(layout::TOP, ExportKind::Global, self.indices.top);
        exports.export(layout::STACK, ExportKind::Memory, self.indices.stack);
        if self.survey.memory {
            exports.export(layout::MEMORY, ExportKind::Memory, 0);
        }
        if let Some(start) = self.survey.start {
            exports.export(layout::START, ExportKind::Func, start + 1);
        }
    }
}

/// The function that ends every suspension: if nobody has asked the host yet it does. It answers whether the caller is
/// to take its frame up at once.
fn ask(indices: &Indices) -> Function {
    let mut code = Function::new([(1, ValType::I64)]);
    let parked = [I::I64Const(layout::PARKED), I::GlobalSet(indices.meter)];
    let mut put = |instructions: &[I<'_>]| {
        for instruction in instructions {
            code.instruction(instruction);
        }
    };
    put(&[I::GlobalGet(indices.state), I::I32Const(layout::NORMAL), I::I32Ne, I::If(BlockType::Empty)]);
    put(&[I::I32Const(0), I::Return, I::End]);
    put(&[I::GlobalGet(indices.meter), I::Call(indices.poll()), I::LocalSet(0)]);
    put(&parked);
    put(&[I::LocalGet(0), I::I64Const(0), I::I64LtS, I::If(BlockType::Empty)]);
    put(&[I::I32Const(layout::UNWINDING), I::GlobalSet(indices.state), I::I32Const(0), I::Return, I::End]);
    put(&[I::LocalGet(0), I::GlobalSet(indices.next)]);
    put(&[I::I32Const(layout::REWINDING), I::GlobalSet(indices.state), I::I32Const(1), I::End]);
    code
}
