//! Accounts, API keys, sessions. Hashes are made and compared by the server; here they are opaque.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use steplog_protocol::{ApiKey, User};

use crate::database::Sql as _;
use crate::{Error, Store};

/// How often the last use of an API key is written, in seconds.
const TOUCH_INTERVAL: f64 = 60.0;

/// An account with what its password is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredUser {
    /// The account.
    pub user: User,
    /// Hash of the password, as the server made it.
    pub password_hash: String,
}

impl Store {
    /// All accounts, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn users(&self) -> Result<Vec<User>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql("SELECT name, admin, created_at FROM users ORDER BY name")?;
        Ok(statement.query_map((), read_user)?.collect::<Result<_, _>>()?)
    }

    /// An account by its name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn user(&self, name: &str) -> Result<Option<StoredUser>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql("SELECT name, admin, created_at, password_hash FROM users WHERE name = $1")?;
        let user =
            statement.query_row([name], |row| Ok(StoredUser { user: read_user(row)?, password_hash: row.get(3)? }));
        Ok(user.optional()?)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// There is one of that name.
    pub fn create_user(&self, name: &str, password_hash: &str, admin: bool) -> Result<User, Error> {
        let user = User { name: name.into(), admin, created_at: self.shared.options.clock.now() };
        let (made, hash) = (user.clone(), password_hash.to_owned());
        self.shared.write(
            move |database| {
                let added = database
                    .sql(
                        "INSERT INTO users (name, password_hash, admin, created_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![made.name, hash, made.admin, made.created_at])?;
                expect_one(added, || Error::conflict(format!("there is already a user {:?}", made.name)))
            },
            |_| {},
        )?;
        Ok(user)
    }

    /// Gives an account another password; its sessions end.
    ///
    /// # Errors
    /// There is no such account.
    pub fn set_password(&self, name: &str, password_hash: &str) -> Result<(), Error> {
        let (name, hash) = (name.to_owned(), password_hash.to_owned());
        self.shared.write(
            move |database| {
                database.sql("DELETE FROM sessions WHERE user_name = $1")?.execute([&name])?;
                let changed =
                    database.sql("UPDATE users SET password_hash = $2 WHERE name = $1")?.execute([&name, &hash])?;
                expect_one(changed, || no_user(&name))
            },
            |_| {},
        )
    }

    /// Removes an account with its API keys and sessions; its runs stay.
    ///
    /// # Errors
    /// There is no such account.
    pub fn delete_user(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.shared.write(
            move |database| {
                database.sql("DELETE FROM api_keys WHERE user_name = $1")?.execute([&name])?;
                database.sql("DELETE FROM sessions WHERE user_name = $1")?.execute([&name])?;
                let removed = database.sql("DELETE FROM users WHERE name = $1")?.execute([&name])?;
                expect_one(removed, || no_user(&name))
            },
            |_| {},
        )
    }

    /// The API keys of an account, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn api_keys(&self, user: &str) -> Result<Vec<ApiKey>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(
            "SELECT id, label, created_at, last_used_at FROM api_keys WHERE user_name = $1 ORDER BY created_at DESC, id",
        )?;
        let keys = statement.query_map([user], |row| {
            Ok(ApiKey { id: row.get(0)?, label: row.get(1)?, created_at: row.get(2)?, last_used_at: row.get(3)? })
        })?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// Adds an API key to an account.
    ///
    /// # Errors
    /// There is no such account, or the id or the hash is taken.
    pub fn create_api_key(&self, user: &str, id: &str, label: &str, hash: [u8; 32]) -> Result<ApiKey, Error> {
        let key = ApiKey {
            id: id.into(),
            label: label.into(),
            created_at: self.shared.options.clock.now(),
            last_used_at: None,
        };
        let (made, user) = (key.clone(), user.to_owned());
        self.shared.write(
            move |database| {
                require_user(database, &user)?;
                let added = database
                    .sql(
                        "INSERT INTO api_keys (id, user_name, label, hash, created_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![made.id, user, made.label, hash, made.created_at])?;
                expect_one(added, || Error::conflict(format!("there is already an API key {:?}", made.id)))
            },
            |_| {},
        )?;
        Ok(key)
    }

    /// Revokes an API key of an account.
    ///
    /// # Errors
    /// The account has no such key.
    pub fn delete_api_key(&self, user: &str, id: &str) -> Result<(), Error> {
        let (user, id) = (user.to_owned(), id.to_owned());
        self.shared.write(
            move |database| {
                let removed =
                    database.sql("DELETE FROM api_keys WHERE user_name = $1 AND id = $2")?.execute([&user, &id])?;
                expect_one(removed, || Error::not_found(format!("there is no API key {id:?}")))
            },
            |_| {},
        )
    }

    /// The account that an API key belongs to. Its last use is noted, at most once a minute.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn user_by_api_key_hash(&self, hash: &[u8; 32]) -> Result<Option<User>, Error> {
        let found = {
            let reader = self.shared.database.reader()?;
            let mut statement = reader.sql(
                "SELECT u.name, u.admin, u.created_at, k.last_used_at FROM api_keys k JOIN users u ON u.name = k.user_name
                 WHERE k.hash = $1",
            )?;
            let found = statement.query_row([&hash[..]], |row| Ok((read_user(row)?, row.get::<_, Option<f64>>(3)?)));
            found.optional()?
        };
        let Some((user, last_used_at)) = found else { return Ok(None) };
        let now = self.shared.options.clock.now();
        if last_used_at.is_none_or(|used| now - used >= TOUCH_INTERVAL) {
            let hash = *hash;
            let touched = self.shared.write(
                move |database| {
                    database
                        .sql("UPDATE api_keys SET last_used_at = $2 WHERE hash = $1")?
                        .execute(params![hash, now])?;
                    Ok(())
                },
                |_| {},
            );
            // A full disk must not lock anybody out.
            if let Err(error) = touched {
                tracing::warn!("the last use of an API key was not noted: {error}");
            }
        }
        Ok(Some(user))
    }

    /// Begins a session of an account; expired ones go.
    ///
    /// # Errors
    /// There is no such account.
    pub fn create_session(&self, user: &str, token_hash: [u8; 32], expires_at: f64) -> Result<(), Error> {
        let (user, now) = (user.to_owned(), self.shared.options.clock.now());
        self.shared.write(
            move |database| {
                require_user(database, &user)?;
                database.sql("DELETE FROM sessions WHERE expires_at <= $1")?.execute([now])?;
                database
                    .sql("INSERT INTO sessions (hash, user_name, expires_at) VALUES ($1, $2, $3)")?
                    .execute(params![token_hash, user, expires_at])?;
                Ok(())
            },
            |_| {},
        )
    }

    /// The account of a session that has not expired at `now`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn user_by_session(&self, token_hash: &[u8; 32], now: f64) -> Result<Option<User>, Error> {
        let reader = self.shared.database.reader()?;
        let mut statement = reader.sql(
            "SELECT u.name, u.admin, u.created_at FROM sessions s JOIN users u ON u.name = s.user_name
             WHERE s.hash = $1 AND s.expires_at > $2",
        )?;
        Ok(statement.query_row(params![token_hash, now], read_user).optional()?)
    }

    /// Ends a session; one that is not there is no error.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn delete_session(&self, token_hash: &[u8; 32]) -> Result<(), Error> {
        let hash = *token_hash;
        self.shared.write(
            move |database| {
                database.sql("DELETE FROM sessions WHERE hash = $1")?.execute([hash])?;
                Ok(())
            },
            |_| {},
        )
    }
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { name: row.get(0)?, admin: row.get(1)?, created_at: row.get(2)? })
}

fn require_user(database: &Connection, name: &str) -> Result<(), Error> {
    match database.sql("SELECT 1 FROM users WHERE name = $1")?.exists([name])? {
        true => Ok(()),
        false => Err(no_user(name)),
    }
}

fn no_user(name: &str) -> Error {
    Error::not_found(format!("there is no user {name:?}"))
}

fn expect_one(changed: usize, error: impl FnOnce() -> Error) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(error()) }
}
