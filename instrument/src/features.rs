//! Which parts of WebAssembly are supported, and by which name others are refused.

use crate::{Feature, Refused};
use wasmparser::{Parser, Validator, WasmFeatures};

/// What is supported.
pub(crate) fn supported() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::FLOATS
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::GC_TYPES
        | WasmFeatures::EXTENDED_CONST
}

fn flags(feature: Feature) -> WasmFeatures {
    match feature {
        Feature::Threads => {
            WasmFeatures::THREADS
                | WasmFeatures::SHARED_EVERYTHING_THREADS
                | WasmFeatures::ACQUIRE_RELEASE_ATOMICS
        }
        Feature::Exceptions => WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS,
        Feature::TailCalls => WasmFeatures::TAIL_CALL,
        Feature::Memory64 => WasmFeatures::MEMORY64,
        Feature::MultiMemory => WasmFeatures::MULTI_MEMORY,
        Feature::RelaxedSimd => WasmFeatures::RELAXED_SIMD,
        Feature::Gc => {
            WasmFeatures::GC | WasmFeatures::FUNCTION_REFERENCES | WasmFeatures::CUSTOM_DESCRIPTORS
        }
        Feature::StackSwitching => WasmFeatures::STACK_SWITCHING,
        Feature::WideArithmetic => WasmFeatures::WIDE_ARITHMETIC,
        Feature::MemoryControl => WasmFeatures::MEMORY_CONTROL | WasmFeatures::CUSTOM_PAGE_SIZES,
        Feature::Drafts => WasmFeatures::COMPACT_IMPORTS | WasmFeatures::MULTIBYTE_ARRAY_ACCESS,
    }
}

/// Validates a module.
///
/// # Errors
/// If it is not one, or uses something that is not supported.
pub(crate) fn validate(module: &[u8]) -> Result<(), Refused> {
    if Parser::is_component(module) {
        return Err(Refused::Component);
    }
    let Err(error) = Validator::new_with_features(supported()).validate_all(module) else { return Ok(()) };
    let everything = Feature::ALL.iter().fold(supported(), |all, feature| all | flags(*feature));
    let valid = |features| Validator::new_with_features(features).validate_all(module).is_ok();
    if !valid(everything) {
        return Err(Refused::Invalid(error.to_string()));
    }
    let missing = Feature::ALL.iter().find(|feature| !valid(everything.difference(flags(**feature))));
    Err(missing.map_or_else(|| Refused::Invalid(error.to_string()), |feature| Refused::Feature(*feature)))
}
