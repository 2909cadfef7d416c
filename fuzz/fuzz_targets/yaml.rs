#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| template_yaml::fuzzing::yaml(data));
