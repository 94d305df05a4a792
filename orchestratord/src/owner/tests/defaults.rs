//! The machine's own defaults are those that the configuration documents.

use config_schema::{Config, FullPolicy as ConfigPolicy, QueueClass};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::{ClassLimit, FullPolicy};

fn limit(class: QueueClass) -> ClassLimit {
    ClassLimit {
        capacity: class.capacity,
        full: match class.full_policy {
            ConfigPolicy::DropLru => FullPolicy::DropLru,
            ConfigPolicy::Reject => FullPolicy::Reject,
            ConfigPolicy::ShedLowPriority => FullPolicy::ShedLowPriority,
        },
        weight: class.weight,
    }
}

#[test]
fn machine_and_configuration_agree() {
    let machine = MachineConfig::for_pools(Vec::new());
    let Config {
        queue,
        session,
        idempotency,
        retry,
        ..
    } = Config::default();
    assert_eq!(machine.interactive, limit(queue.interactive));
    assert_eq!(machine.batch, limit(queue.batch));
    assert_eq!(machine.ageing_ms, queue.age_after_ms);
    assert_eq!(machine.scheduled_max, queue.scheduled_max);
    assert_eq!(
        machine.deadline_confidence_permille,
        queue.deadline_confidence_permille
    );
    assert_eq!(
        (machine.session_ttl_ms, machine.session_turns_max),
        (session.ttl_ms, session.turns_max)
    );
    assert_eq!(
        (
            machine.idempotency_retention_ms,
            machine.idempotency_keys_max
        ),
        (idempotency.retention_ms, idempotency.keys_max)
    );
    assert_eq!(
        (machine.retry.failures, machine.retry.interruptions),
        (retry.failures_max, retry.interruptions_max)
    );
    assert_eq!(
        (machine.retry.backoff_base_ms, machine.retry.backoff_cap_ms),
        (retry.backoff_base_ms, retry.backoff_cap_ms)
    );
}
