#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| apigw_mapping::fuzzing::json_path(data));
