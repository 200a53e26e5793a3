//! A TLS proxy in front of the endpoint, with a root certificate made for the run.

use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Terminates TLS and forwards to the endpoint. It stops when this value is dropped.
pub struct Front {
    pub url: String,
    /// The root certificate in PEM.
    pub root: String,
    server: JoinHandle<()>,
}

impl Front {
    /// Starts a proxy for `address`, such as `127.0.0.1:8079`.
    ///
    /// # Errors
    /// If no certificate can be created or no port is free.
    pub async fn start(address: &str) -> anyhow::Result<Front> {
        let (root, config) = certified().context("cannot create a certificate")?;
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("no free port to listen on")?;
        let url = format!("https://{}", listener.local_addr()?);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let address = address.to_owned();
        let server = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, address) = (acceptor.clone(), address.clone());
                // The client reports a failed connection.
                tokio::spawn(async move { pass(connection, &acceptor, &address).await });
            }
        });
        Ok(Front { url, root, server })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(outside: TcpStream, acceptor: &TlsAcceptor, address: &str) -> std::io::Result<()> {
    outside.set_nodelay(true)?;
    let mut outside = acceptor.accept(outside).await?;
    let mut inside = TcpStream::connect(address).await?;
    inside.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut outside, &mut inside).await?;
    Ok(())
}

/// Creates a root certificate and the TLS configuration of a local server it has signed.
fn certified() -> anyhow::Result<(String, ServerConfig)> {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let name = "trawl benchmark";
    root.distinguished_name.push(DnType::CommonName, name);
    let root_key = KeyPair::generate()?;
    let pem = root.self_signed(&root_key)?.pem();
    let root = Issuer::new(root, root_key);

    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut own = CertificateParams::new(names)?;
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    own.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate: CertificateDer<'static> = own.signed_by(&key, &root)?.into();
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((pem, config))
}
