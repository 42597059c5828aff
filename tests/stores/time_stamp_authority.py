"""A time-stamp authority of our own, by OpenSSL's: its certificates, and its answers."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Makes its root and its signing certificate in a folder, and answers requests."""

    def __init__(self, folder: Path, name: str = "Example time") -> None:
        self.folder = folder
        folder.mkdir()
        now = datetime.now(UTC)
        root_key, root = self._certificate(name + " root", None, now)
        tsa_key, tsa = self._certificate(name, (root_key, root), now)
        self.root = root.public_bytes(serialization.Encoding.PEM)
        (folder / "root.pem").write_bytes(self.root)
        (folder / "tsa.pem").write_bytes(tsa.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            tsa_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))

    def answer(self, request: bytes) -> bytes:
        """The answer to a request, DER."""
        (self.folder / "request.tsq").write_bytes(request)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", str(self.folder / "openssl.cnf"), "-queryfile",
             str(self.folder / "request.tsq"), "-out", str(self.folder / "answer.tsr")],
            check=True, capture_output=True,
        )  # fmt: skip
        return (self.folder / "answer.tsr").read_bytes()

    @staticmethod
    def _certificate(
        name: str, issuer: tuple[rsa.RSAPrivateKey, x509.Certificate] | None, now: datetime
    ) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer[1].subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if issuer is not None:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
            issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[0].public_key())
            builder = builder.add_extension(issuer_key, critical=False)
        else:
            builder = builder.add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
            )
        return key, builder.sign(key if issuer is None else issuer[0], hashes.SHA256())


def missing() -> str:
    """Why there can be no authority here; empty if there can."""
    return "" if shutil.which("openssl") else "the program openssl is not installed"
