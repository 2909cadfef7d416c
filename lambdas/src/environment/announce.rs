//! What the environment says of announcements.

use chat_protocol::variable;

use super::{Environment, EnvironmentError, FunctionAddress};

impl Environment<'_> {
    /// The function that announces who comes and who leaves; `None` in a stack without announcements.
    ///
    /// # Errors
    /// [`EnvironmentError::NotAUrl`] if its endpoint is not a URL.
    pub fn announce_function(&self) -> Result<Option<FunctionAddress>, EnvironmentError> {
        let name = self.optional(variable::ANNOUNCE_FUNCTION);
        name.map(|name| self.function(name)).transpose()
    }
}
