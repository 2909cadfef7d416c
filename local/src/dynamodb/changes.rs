//! Creates, changes and deletes tables as templates say, and takes that back. Each function blocks for some
//! milliseconds, or as long as it takes to fill a new index.

use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::definition::{Change, Definition, Occasion};
use super::{Tables, TablesError, creation, storage};
use crate::options::TableStorage;
use crate::stack::{LogicalId, Table};

/// The outcome of preparing a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Created,
    /// It existed and has its items; indexes and settings may have changed.
    Kept,
    /// It existed with other local indexes or attribute types, which stay as its items do.
    KeptOther,
    /// It existed with other keys, local indexes or attribute types; its items are lost.
    Replaced,
}

impl Prepared {
    /// What the stack event of the table says of it; `is_new`: the stack did not have the table before.
    pub(crate) fn remark(self, is_new: bool) -> Option<&'static str> {
        match (self, is_new) {
            (Self::Replaced, true) => Some(
                "a table with other keys, local indexes or attribute types existed; its items are lost",
            ),
            (Self::Replaced, false) => Some(
                "its keys, local indexes or attribute types changed, so it was replaced; its items are lost",
            ),
            (Self::KeptOther, _) => Some(
                "its local indexes or attribute types differ from the template's and stay as they are; to change \
                 them, deploy under another table name or tear the data down",
            ),
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

/// What becomes of a table.
enum Plan {
    Create,
    /// It stays, and these calls change it.
    Keep {
        before: Box<Definition>,
        changes: Vec<Change>,
    },
    Replace,
}

impl Tables {
    /// Checks that every table can become what the template says, by creating it in another database; changes
    /// none. At a start, those that are what the template says are not tried.
    ///
    /// # Errors
    /// The first table that cannot.
    pub(crate) fn check<'t>(
        &self,
        tables: impl Iterator<Item = (&'t Table, Occasion)>,
    ) -> Result<(), (LogicalId, TablesError)> {
        let mut trial = None;
        for (table, occasion) in tables {
            self.check_one(table, occasion, &mut trial)
                .map_err(|error| (table.logical_id.clone(), error))?;
        }
        Ok(())
    }

    fn check_one(
        &self,
        table: &Table,
        occasion: Occasion,
        trial: &mut Option<Database>,
    ) -> Result<(), TablesError> {
        let name = &table.name;
        match self.plan(table, occasion)? {
            Plan::Keep { before, .. } => {
                if occasion == Occasion::Start && Definition::new(table) == *before {
                    return Ok(());
                }
            }
            Plan::Create | Plan::Replace => {
                let refusal = creation::refusal(&self.database, name);
                if let Some(message) = refusal.map_err(|error| not_created(name, &error))? {
                    let table = name.clone();
                    return Err(TablesError::Create { table, message });
                }
            }
        }
        let trial = match trial {
            Some(trial) => trial,
            None => trial.insert(storage::open(&TableStorage::Memory)?),
        };
        let create = read(table.create.clone());
        let created = create.and_then(|create| creation::create(trial, create));
        created.map_err(|error| not_created(name, &error))?;
        Ok(())
    }

    fn plan(&self, table: &Table, occasion: Occasion) -> Result<Plan, TablesError> {
        let wanted = Definition::new(table);
        let Some(before) = self.definition(&table.name)? else {
            return Ok(Plan::Create);
        };
        let is_replaced = match occasion {
            Occasion::Start | Occasion::Update => wanted.has_other_keys(&before),
            Occasion::Renewal => wanted.replaces(&before),
        };
        if !is_replaced {
            let changes = wanted.onto(&before, occasion).changes(&before, &table.name);
            let before = Box::new(before);
            return Ok(Plan::Keep { before, changes });
        }
        let table = table.name.clone();
        match occasion {
            Occasion::Start if before.is_protected || wanted.is_protected => {
                Err(TablesError::OtherKeys { table })
            }
            Occasion::Update | Occasion::Renewal if before.is_protected => {
                Err(TablesError::Protected { table })
            }
            _ => Ok(Plan::Replace),
        }
    }

    /// Makes `table` what the template says. Its items stay, unless the table has to be replaced.
    pub(crate) fn prepare(
        &self,
        table: &Table,
        occasion: Occasion,
    ) -> Result<Prepared, TablesError> {
        let name = &table.name;
        let wanted = Definition::new(table);
        let prepared = match self.plan(table, occasion)? {
            Plan::Keep { before, changes } => {
                self.change(name, changes)?;
                return Ok(match wanted.replaces(&before) {
                    true => Prepared::KeptOther,
                    false => Prepared::Kept,
                });
            }
            Plan::Create => Prepared::Created,
            Plan::Replace => {
                self.delete(name)?;
                Prepared::Replaced
            }
        };
        self.create(name, table.create.clone())?;
        let created = self.definition(name)?.ok_or_else(|| missing(name))?;
        self.change(name, wanted.changes(&created, name))?;
        Ok(prepared)
    }

    /// Deletes a table with its items. One that does not exist is deleted.
    pub(crate) fn delete(&self, name: &str) -> Result<(), TablesError> {
        let table_name = name.to_owned();
        let deleted = self
            .database
            .delete_table(DeleteTableRequest { table_name });
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
        let created = read(create).and_then(|create| creation::create(&self.database, create));
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
