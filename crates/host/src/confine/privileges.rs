//! What root may do beyond its own files. A server that runs as root hands its sessions no more than this.

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities};

/// What unpacking, installing and serving need; not what reaches other processes, devices, the network's settings or
/// the kernel. Where a file is and whose process it is, is Landlock's matter.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE);

/// Gives up every other capability for good; nothing to do for who is not root.
pub fn apply() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    for number in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(one) {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            // This kernel knows none beyond, or root has already been denied this.
            Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
            Err(error) => return Err(error).context("cannot give up privileges"),
        }
    }
    let now = rustix::thread::capabilities(None).context("cannot tell our privileges")?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: now.effective & KEPT,
            permitted: now.permitted & KEPT,
            inheritable: CapabilitySet::empty(),
        },
    )
    .context("cannot give up privileges")
}
