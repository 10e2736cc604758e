//! Accounts, API keys, sessions.

mod support;

use steplog_protocol::ErrorKind;
use steplog_store::{Store, StoreOptions};
use support::{HandClock, quiet_options};
use tempfile::TempDir;

#[test]
fn keys_and_sessions_lead_to_their_account_until_they_end() {
    let folder = TempDir::new().unwrap();
    let clock = HandClock::new(100.0);
    let store = Store::open(folder.path(), StoreOptions { clock: clock.clock(), ..quiet_options() }).unwrap();
    let ann = store.create_user("ann", "hash", true).unwrap();
    store.create_user("bob", "hash", false).unwrap();
    assert_eq!(store.create_user("ann", "x", false).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(store.users().unwrap().iter().map(|user| &*user.name).collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!(store.user("ann").unwrap().unwrap().user, ann);
    assert_eq!(store.user("eve").unwrap(), None);

    store.create_api_key("ann", "k1", "laptop", [1; 32]).unwrap();
    assert_eq!(store.create_api_key("ann", "k2", "", [1; 32]).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(store.create_api_key("eve", "k3", "", [2; 32]).unwrap_err().kind(), ErrorKind::NotFound);
    let used = |store: &Store| store.api_keys("ann").unwrap()[0].last_used_at;
    for (now, expected) in [(110.0, 110.0), (169.0, 110.0), (170.0, 170.0)] {
        clock.set(now);
        assert_eq!(store.user_by_api_key_hash(&[1; 32]).unwrap().as_ref(), Some(&ann));
        assert_eq!(used(&store), Some(expected));
    }
    assert_eq!(store.user_by_api_key_hash(&[9; 32]).unwrap(), None);
    assert_eq!(store.delete_api_key("bob", "k1").unwrap_err().kind(), ErrorKind::NotFound);
    store.delete_api_key("ann", "k1").unwrap();
    assert_eq!(store.user_by_api_key_hash(&[1; 32]).unwrap(), None);

    store.create_session("ann", [3; 32], 200.0).unwrap();
    assert_eq!(store.user_by_session(&[3; 32], 199.0).unwrap(), Some(ann.clone()));
    assert_eq!(store.user_by_session(&[3; 32], 200.0).unwrap(), None);
    store.delete_session(&[3; 32]).unwrap();
    assert_eq!(store.user_by_session(&[3; 32], 199.0).unwrap(), None);
    store.create_session("ann", [4; 32], 300.0).unwrap();
    store.set_password("ann", "other").unwrap();
    assert_eq!(store.user("ann").unwrap().unwrap().password_hash, "other");
    assert_eq!(store.user_by_session(&[4; 32], 199.0).unwrap(), None);
    store.create_session("ann", [5; 32], 300.0).unwrap();
    store.delete_user("ann").unwrap();
    assert_eq!(store.user_by_session(&[5; 32], 199.0).unwrap(), None);
    assert_eq!(store.delete_user("ann").unwrap_err().to_string(), "there is no user \"ann\"");
}
