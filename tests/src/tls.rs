//! A certificate authority of one's own and a certificate for the server.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef};

/// In PEM form.
pub(crate) struct Certificates {
    pub authority: String,
    pub server: String,
    pub server_key: String,
}

impl Certificates {
    pub fn create() -> Self {
        Self::try_create().expect("OpenSSL can make certificates")
    }

    fn try_create() -> Result<Self, ErrorStack> {
        let authority_key = new_key()?;
        let authority_name = name("ext_registry tests")?;
        let mut authority = new_certificate(&authority_name, &authority_name, &authority_key)?;
        authority.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        authority.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
        authority.sign(&authority_key, MessageDigest::sha256())?;
        let authority = authority.build();

        let server_key = new_key()?;
        let mut server = new_certificate(&*name("localhost")?, &authority_name, &server_key)?;
        let names = SubjectAlternativeName::new()
            .dns("localhost")
            .ip("127.0.0.1")
            .build(&server.x509v3_context(Some(&authority), None))?;
        server.append_extension(names)?;
        server.sign(&authority_key, MessageDigest::sha256())?;

        Ok(Self {
            authority: pem(&authority.to_pem()?),
            server: pem(&server.build().to_pem()?),
            server_key: pem(&server_key.private_key_to_pem_pkcs8()?),
        })
    }
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&curve)?)
}

fn name(common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

fn new_certificate(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKey<Private>,
) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut certificate = X509::builder()?;
    certificate.set_version(2)?;
    certificate.set_serial_number(&*serial.to_asn1_integer()?)?;
    certificate.set_subject_name(subject)?;
    certificate.set_issuer_name(issuer)?;
    certificate.set_pubkey(key)?;
    certificate.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    certificate.set_not_after(&*Asn1Time::days_from_now(2)?)?;
    Ok(certificate)
}

fn pem(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
