//! How long a deployment or a teardown may take, as help texts promise it: a term for each wait of `deploy_to_cloud`,
//! `deploy_here`, `teardown_cloud` and `teardown_here`. Not counted are the build, the answers of the user, and the upload.

use crate::engine::limits::{self, Limit};

/// Everything that does not wait for CloudFormation's work: the checks, what a hotswap looks at, publishing, the change set, its
/// execution or its end, the protection, the proof; and the change set and its execution once more.
pub const DEPLOYING: Limit = limits::ASKING
    .and(limits::ASKING)
    .and(limits::PUBLISHING)
    .and(limits::COMPUTING)
    .and(limits::CALL)
    .and(limits::ASKING)
    .and(limits::CALL)
    .and(limits::CALL)
    .and(limits::PROVING)
    .and(REPEATING);

/// CloudFormation's work: on what is in the way, on the change, and on both again where the deployment is made once more.
pub const FOLLOWING: Limit = ONCE.and(ONCE);

const ONCE: Limit = limits::FOLLOWING.and(limits::FOLLOWING);

/// The role for API Gateway's logs beside CloudFormation's work: it is a stack that is made as any other.
pub const MAKING_LOG_ROLE: Limit = limits::COMPUTING
    .and(limits::CALL)
    .and(limits::ASKING)
    .and(limits::CALL)
    .and(REPEATING);

/// A preview: the state, the change set, and taking it back.
pub const PREVIEWING: Limit = limits::ASKING.and(limits::COMPUTING).and(limits::ASKING);

/// A deployment to this machine: asking the process that runs, ending one whose folder is gone, and the rest.
pub const DEPLOYING_HERE: Limit = limits::ANSWERING
    .and(limits::ANSWERING)
    .and(limits::ANSWERING)
    .and(limits::HERE);

/// A teardown from AWS: asking, and CloudFormation's work.
pub const TEARING_DOWN: Limit = limits::ASKING.and(limits::TEARING_DOWN);

/// A teardown on this machine waits for the same as a deployment.
pub const TEARING_DOWN_HERE: Limit = DEPLOYING_HERE;

/// The change set of a first deployment that is made once more, and its execution.
const REPEATING: Limit = limits::COMPUTING.and(limits::ASKING);
