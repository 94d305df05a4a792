//! Draws fleets whose pools share engine processes.

use orchestrator_core::id::{ModelRef, PoolName, ProcessName, ReplicaName};

use super::setup::{ReplicaSetup, Setup, pools_of};
use crate::chance::Chance;

/// In many runs the first two pools have models that take turns in one process or two; what other pools there are stays.
pub(super) fn draw(chance: &mut Chance, setup: &mut Setup) {
    if chance.percent(60) {
        return;
    }
    let engine = setup.replicas[0].engine;
    let slots: Vec<u32> = (0..1 + chance.index(2))
        .map(|_| chance.pick(&[1, 2, 3]))
        .collect();
    let mut replicas = Vec::new();
    for pool in 0..2 {
        let ctx = chance.pick(&[256, 512, 1_024]);
        for (process, slots) in slots.iter().enumerate() {
            replicas.push(ReplicaSetup {
                name: ReplicaName::new(format!("pool-{pool}-{process}")),
                process: ProcessName::new(format!("process-{process}")),
                pool: PoolName::new(format!("pool-{pool}")),
                engine,
                model: ModelRef::new(format!("model-{pool}")),
                version: 1,
                slots: *slots,
                ctx,
            });
        }
    }
    let firsts = [PoolName::new("pool-0"), PoolName::new("pool-1")];
    let others = std::mem::take(&mut setup.replicas).into_iter();
    replicas.extend(others.filter(|replica| !firsts.contains(&replica.pool)));
    setup.machine.pools = pools_of(&replicas);
    setup.machine.policy.model_run_tokens_max = chance.pick(&[0, 100, 400, 4_096]);
    setup.replicas = replicas;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::plan::Plan;

    #[test]
    fn some_fleets_have_processes_with_several_models_and_some_have_none() {
        let mut kinds = BTreeSet::new();
        for seed in 0..50 {
            let setup = Plan::of(seed).setup;
            let processes: BTreeSet<_> = setup.replicas.iter().map(|one| &one.process).collect();
            kinds.insert(processes.len() < setup.replicas.len());
        }
        assert_eq!(kinds, BTreeSet::from([false, true]));
    }
}
