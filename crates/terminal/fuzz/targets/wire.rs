//! Whatever comes over a socket: frames and messages are read or refused.
#![no_main]

use domain::host::{Answer, Ask, HostEvent};
use domain::wire::{Frame, FromClient, FromTerminal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(frame) = Frame::decode(data) {
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }
    let _ = serde_json::from_slice::<FromClient>(data);
    let _ = serde_json::from_slice::<FromTerminal>(data);
    let _ = serde_json::from_slice::<Ask>(data);
    let _ = serde_json::from_slice::<Answer>(data);
    let _ = serde_json::from_slice::<HostEvent>(data);
});
