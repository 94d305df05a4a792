//! Operations tagged `replicasets`.

use api_server::replicasets::{ReplicasetListResponse, ReplicasetsApi};

use super::context::Context;
use super::convert;
use super::host::Host;

impl ReplicasetsApi for Host {
    async fn replicaset_list(&self, _: Context) -> ReplicasetListResponse {
        ReplicasetListResponse::Ok200 {
            body: convert::replica_sets(self.app.replicaset_list()),
        }
    }
}
