//! What is refused, and with which words; and that nothing makes the pass panic.

use instrument::{Feature, Options, Refused, instrument};
use proptest::prelude::*;

fn check(text: &str, refused: Refused) {
    let module = wat::parse_str(text).expect("a module");
    assert_eq!(instrument(&module, &Options::default()).err(), Some(refused), "{text}");
}

#[test]
fn what_cannot_be_supported_is_refused_by_name() {
    check("(component)", Refused::Component);
    let feature = |text, feature| check(text, Refused::Feature(feature));
    feature("(module (memory 1 2 shared))", Feature::Threads);
    feature("(module (tag))", Feature::Exceptions);
    feature("(module (func $f return_call $f))", Feature::TailCalls);
    feature("(module (memory i64 1))", Feature::Memory64);
    feature("(module (memory 1) (memory 1))", Feature::MultiMemory);
    feature("(module (type (struct)))", Feature::Gc);
    let relaxed = "(module (func (param v128) (result v128) local.get 0 local.get 0 i8x16.relaxed_swizzle))";
    feature(relaxed, Feature::RelaxedSimd);
    let import = |name: &str| Refused::Import { module: "m".into(), name: name.into() };
    check("(module (import \"m\" \"x\" (memory 1)))", import("x"));
    check("(module (import \"m\" \"g\" (global i32)))", import("g"));
    check("(module (import \"m\" \"t\" (table 1 funcref)))", import("t"));
    check("(module (import \"compup2p\" \"poll\" (func)))", Refused::Reserved("compup2p".into()));
    check("(module (func (export \"compup2p:meter\")))", Refused::Reserved("compup2p:meter".into()));
    check(
        "(module (import \"m\" \"f\" (func $f)) (table 1 funcref) (elem (i32.const 0) $f))",
        Refused::HostFunction(0),
    );
    check("(module (import \"m\" \"f\" (func $f)) (start $f))", Refused::HostFunction(0));
    check("(module (global (mut funcref) (ref.null func)))", Refused::ReferenceGlobal(0));
    check(
        "(module (table 1 funcref) (func i32.const 0 ref.null func table.set 0))",
        Refused::TableChanged(0),
    );
    let kept = "(module (func (param externref) (result externref) (local i32) loop local.get 1 br_if 0 end local.get 0))";
    check(kept, Refused::ReferenceKept(0));
}

#[test]
fn what_is_no_module_is_refused() {
    let options = Options::default();
    assert!(matches!(instrument(b"", &options), Err(Refused::Invalid(_))));
    assert!(matches!(instrument(b"#!/bin/sh\n", &options), Err(Refused::Invalid(_))));
    let ill_typed = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 5, 1, 3, 0, 26, 11];
    assert!(matches!(instrument(&ill_typed, &options), Err(Refused::Invalid(_))));
}

#[test]
fn what_would_grow_without_bound_is_refused_soon() {
    let small = Options { output: 100, ..Options::default() };
    let module = wat::parse_str("(module (func loop br 0 end))").expect("a module");
    assert_eq!(instrument(&module, &small), Err(Refused::ModuleTooLarge { limit: 100 }));
    // Two thousand loops, each of which could have to save two thousand locals.
    let loops = "loop local.get 0 br_if 0 end ".repeat(2_000);
    let uses: String =
        (0..2_000).map(|local| format!("local.get {local} drop local.get {local} call $f ")).collect();
    let text = format!(
        "(module (func $f (param i32) loop end) (func (local {}) {loops} {uses}))",
        "i32 ".repeat(2_000)
    );
    let refused = instrument(&wat::parse_str(text).expect("a module"), &Options::default());
    assert!(matches!(refused, Err(Refused::FunctionTooLarge { function: 1, .. })), "{refused:?}");
    let deep = format!("(module (func {} {}))", "loop ".repeat(5_000), "end ".repeat(5_000));
    let refused = instrument(&wat::parse_str(deep).expect("a module"), &Options::default());
    assert!(matches!(refused, Err(Refused::FunctionTooLarge { function: 0, .. })), "{refused:?}");
}

/// A real module to spoil.
fn example() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/noop/noop.wasm")).expect("an example")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_spoiled_module_is_refused_or_rewritten(
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut module = example();
        for (place, byte) in spoils {
            let place = place.index(module.len());
            module[place] = byte;
        }
        if cuts {
            module.truncate(cut.index(module.len()));
        }
        match instrument(&module, &Options::default()) {
            Ok(rewritten) => {
                let mut validator = wasmtime_features();
                validator.validate_all(&rewritten.module).expect("what comes out is valid");
            }
            Err(refused) => prop_assert!(!matches!(refused, Refused::Internal(_)), "{refused}"),
        }
    }
}

fn wasmtime_features() -> wasmparser::Validator {
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
}
