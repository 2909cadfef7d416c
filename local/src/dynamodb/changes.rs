//! Creates, changes and deletes tables as templates say, and takes that back. Each function blocks for some
//! milliseconds, or as long as it takes to fill a new index.

use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::definition::{Change, Definition};
use super::{Tables, TablesError, storage};
use crate::options::TableStorage;
use crate::stack::{LogicalId, Table};

/// The outcome of preparing a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Created,
    /// It existed and has its items; indexes and settings may have changed.
    Kept,
    /// It existed with other keys or local indexes; its items are lost.
    Replaced,
}

impl Prepared {
    /// What the stack event of the table says of it; `is_new`: the stack did not have the table before.
    pub(crate) fn remark(self, is_new: bool) -> Option<&'static str> {
        match (self, is_new) {
            (Self::Replaced, true) => {
                Some("a table with other keys or local indexes existed; its items are lost")
            }
            (Self::Replaced, false) => {
                Some("its keys or local indexes changed, so it was replaced; its items are lost")
            }
            (Self::Kept, true) => Some("the table existed already and keeps its items"),
            (Self::Created, _) | (Self::Kept, false) => None,
        }
    }
}

/// A table before a change: `None` instead of a definition if there was none.
#[derive(Debug)]
pub(crate) struct Before {
    table: String,
    definition: Option<Definition>,
}

impl Tables {
    /// Checks that every table can become what the template says, by creating those that would change in another
    /// database; changes none.
    ///
    /// # Errors
    /// The first table that cannot.
    pub(crate) fn check<'t>(
        &self,
        tables: impl Iterator<Item = &'t Table>,
    ) -> Result<(), (LogicalId, TablesError)> {
        let mut trial = None;
        for table in tables {
            self.check_one(table, &mut trial)
                .map_err(|error| (table.logical_id.clone(), error))?;
        }
        Ok(())
    }

    fn check_one(&self, table: &Table, trial: &mut Option<Database>) -> Result<(), TablesError> {
        let wanted = Definition::new(table);
        if let Some(before) = self.definition(&table.name)? {
            if wanted == before {
                return Ok(());
            }
            if before.is_protected && wanted.replaces(&before) {
                let table = table.name.clone();
                return Err(TablesError::Protected { table });
            }
        }
        let trial = match trial {
            Some(trial) => trial,
            None => trial.insert(storage::open(&TableStorage::Memory)?),
        };
        let created = read(table.create.clone()).and_then(|create| trial.create_table(create));
        created.map_err(|error| not_created(&table.name, &error))?;
        Ok(())
    }

    /// Makes `table` what the template says. Its items stay, unless its keys or local indexes change.
    pub(crate) fn prepare(&self, table: &Table) -> Result<Prepared, TablesError> {
        let name = &table.name;
        let wanted = Definition::new(table);
        let (prepared, before) = match self.definition(name)? {
            Some(before) if !wanted.replaces(&before) => (Prepared::Kept, before),
            found => {
                if found.is_some() {
                    self.delete(name)?;
                }
                self.create(name, table.create.clone())?;
                let created = self.definition(name)?.ok_or_else(|| missing(name))?;
                match found {
                    Some(_) => (Prepared::Replaced, created),
                    None => (Prepared::Created, created),
                }
            }
        };
        self.change(name, wanted.changes(&before, name))?;
        Ok(prepared)
    }

    /// Deletes a table with its items. One that does not exist is deleted.
    pub(crate) fn delete(&self, name: &str) -> Result<(), TablesError> {
        let deleted = self.database.delete_table(DeleteTableRequest {
            table_name: name.to_owned(),
        });
        self.keys.forget();
        match deleted {
            Ok(_) | Err(DynoxideError::ResourceNotFoundException(_)) => Ok(()),
            Err(error) => Err(TablesError::Delete {
                table: name.to_owned(),
                message: error.to_string(),
            }),
        }
    }

    /// What [`Tables::restore`] needs to take a change back.
    pub(crate) fn before(&self, table: &str) -> Result<Before, TablesError> {
        Ok(Before {
            table: table.to_owned(),
            definition: self.definition(table)?,
        })
    }

    /// Takes the changes since `before` back.
    ///
    /// # Errors
    /// What is not as it was: a table that was replaced has lost its items.
    pub(crate) fn restore(&self, before: &Before) -> Result<(), String> {
        let table = &before.table;
        let restored = self.restored(table, before.definition.as_ref());
        match restored {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("table `{table}` was replaced and is empty now")),
            Err(error) => Err(format!("table `{table}` stays changed: {error}")),
        }
    }

    /// Returns whether the items are what they were.
    fn restored(&self, name: &str, before: Option<&Definition>) -> Result<bool, TablesError> {
        let now = self.definition(name)?;
        match (before, now) {
            (None, None) => Ok(true),
            (None, Some(now)) => self.discard(name, &now).map(|()| true),
            (Some(before), Some(now)) if !before.replaces(&now) => {
                self.change(name, before.changes(&now, name)).map(|()| true)
            }
            (Some(before), now) => {
                if let Some(now) = now {
                    self.discard(name, &now)?;
                }
                let (create, changes) = before.creation(name);
                self.create(name, create)?;
                self.change(name, changes).map(|()| false)
            }
        }
    }

    /// Deletes a table that this update has created, even a protected one.
    fn discard(&self, name: &str, now: &Definition) -> Result<(), TablesError> {
        if now.is_protected {
            let off = json!({ "TableName": name, "DeletionProtectionEnabled": false });
            self.change(name, vec![Change::UpdateTable(off)])?;
        }
        self.delete(name)
    }

    fn definition(&self, name: &str) -> Result<Option<Definition>, TablesError> {
        let recorded = self.database.get_table_metadata(name);
        let recorded = recorded.map_err(|error| not_changed(name, &error))?;
        Ok(recorded.map(|recorded| Definition::recorded(&recorded)))
    }

    fn create(&self, name: &str, create: Value) -> Result<(), TablesError> {
        let created = read(create).and_then(|create| self.database.create_table(create));
        self.keys.forget();
        created.map_err(|error| not_created(name, &error))?;
        Ok(())
    }

    fn change(&self, name: &str, changes: Vec<Change>) -> Result<(), TablesError> {
        for change in changes {
            let changed = match change {
                Change::UpdateTable(body) => {
                    read(body).and_then(|body| self.database.update_table(body).map(drop))
                }
                Change::UpdateTimeToLive(body) => {
                    read(body).and_then(|body| self.database.update_time_to_live(body).map(drop))
                }
            };
            self.keys.forget();
            changed.map_err(|error| not_changed(name, &error))?;
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(body)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn not_created(table: &str, error: &DynoxideError) -> TablesError {
    TablesError::Create {
        table: table.to_owned(),
        message: error.to_string(),
    }
}

fn not_changed(table: &str, error: &DynoxideError) -> TablesError {
    TablesError::Change {
        table: table.to_owned(),
        message: error.to_string(),
    }
}

/// The database has no record of a table that it has just created.
fn missing(table: &str) -> TablesError {
    TablesError::Change {
        table: table.to_owned(),
        message: "the database does not find it".to_owned(),
    }
}

/// Whether a table that becomes `after` loses its items.
pub(crate) fn is_replaced(before: &Table, after: &Table) -> bool {
    Definition::new(after).replaces(&Definition::new(before))
}
