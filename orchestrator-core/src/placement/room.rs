//! Where something could begin now: groups, processes and replicas with slots free.

use crate::placement::process::Group;
use crate::placement::{Fleet, Process, Replica, ReplicaState};
use crate::queue::LaneKey;

impl Fleet {
    /// The largest context window of a replica that has a slot free and serves a lane.
    pub(crate) fn room(&self, lane: &LaneKey) -> Option<u32> {
        if !self.has_room() {
            return None;
        }
        largest_free(self.replicas.iter(), lane)
    }

    /// The same, of the replicas of one group.
    pub(crate) fn room_in(&self, group: usize, lane: &LaneKey) -> Option<u32> {
        largest_free(self.members(group), lane)
    }

    /// The same without some of its processes.
    pub(crate) fn room_beside(&self, group: usize, lane: &LaneKey, kept: &[usize]) -> Option<u32> {
        let is_kept = |replica: &&Replica| {
            let process = self
                .index(&replica.name)
                .map(|index| self.process_of[index]);
            process.is_some_and(|process| kept.contains(&process))
        };
        let others = self.members(group);
        let others = others.filter(|replica| kept.is_empty() || !is_kept(replica));
        largest_free(others, lane)
    }

    /// The replicas of a group, by name.
    pub(crate) fn members(&self, group: usize) -> impl Iterator<Item = &Replica> {
        let members = self.groups.get(group).map(|group| group.members.iter());
        members
            .into_iter()
            .flatten()
            .filter_map(|index| self.replicas.get(*index))
    }

    /// Is a replica one of this group?
    pub(crate) fn is_in(&self, replica: &Replica, group: usize) -> bool {
        let pools = self.groups.get(group).map(|group| group.pools.iter());
        let mut pools = pools.into_iter().flatten();
        pools.any(|pool| {
            self.pools
                .get(*pool)
                .is_some_and(|pool| pool.name == replica.pool)
        })
    }

    /// A group, if pools of it share processes.
    pub(crate) fn shared(&self, group: usize) -> Option<&Group> {
        self.groups.get(group).filter(|group| group.is_shared())
    }

    /// The groups, each by its number.
    pub(crate) fn groups(&self) -> std::ops::Range<usize> {
        0..self.groups.len()
    }

    /// The groups with a slot free.
    pub(crate) fn groups_with_room(&self) -> impl Iterator<Item = usize> {
        let groups = self.groups.iter().enumerate();
        groups.filter_map(|(place, group)| (group.free > 0).then_some(place))
    }

    /// A process by its number.
    pub(crate) fn process(&self, process: usize) -> Option<&Process> {
        self.processes.get(process)
    }

    /// True if a process that pools may have to wait for has a slot free: it may be kept for somebody.
    pub(crate) fn has_shared_room(&self) -> bool {
        let mut groups = self.groups.iter();
        self.has_room() && groups.any(|group| group.is_shared() && group.free > 0)
    }

    /// True if any replica has a slot free.
    pub(crate) fn has_room(&self) -> bool {
        self.free > 0
    }
}

/// Does a replica serve what the tasks of a lane ask for, and may it continue their text?
pub(crate) fn suits(replica: &Replica, lane: &LaneKey) -> bool {
    lane.engine.is_none_or(|engine| engine == replica.engine)
        && lane
            .model_ref
            .as_ref()
            .is_none_or(|model| *model == replica.model_ref)
        && (lane.pinned.is_none() || lane.pinned == replica.set)
}

/// The largest context window of those that have a slot free and serve a lane.
fn largest_free<'a>(replicas: impl Iterator<Item = &'a Replica>, lane: &LaneKey) -> Option<u32> {
    replicas
        .filter(|replica| replica.state == ReplicaState::Ready)
        .filter(|replica| suits(replica, lane))
        .filter(|replica| replica.slots_free() > 0)
        .filter_map(Replica::ctx)
        .max()
}
