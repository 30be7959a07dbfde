//! What is no authority is not taken for one.

use super::Tls;

#[test]
fn a_file_without_certificates_is_refused() {
    let reason = "cannot trust the database: the file of its authority holds no certificate";
    assert_eq!(Tls::new(b"nothing").err().unwrap().to_string(), reason);
}
