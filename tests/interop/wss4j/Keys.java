package wss4j;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import org.apache.ws.security.components.crypto.Crypto;
import org.apache.ws.security.components.crypto.Merlin;

/** WSS4J's view of keys and certificates, read anew for each request. */
final class Keys {
    private Keys() {
    }

    /** Fields: {@code keystore}, a PKCS#12 file, and its {@code password}. */
    static Crypto ofSigner(Request request) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(Path.of(request.text("keystore")))) {
            store.load(file, request.text("password").toCharArray());
        }
        Merlin crypto = new Merlin();
        crypto.setKeyStore(store);
        return crypto;
    }

    /** Fields: {@code trust}, PEM files of authorities; {@code known}, PEM files of certificates that may be named. */
    static Crypto ofVerifier(Request request) throws Exception {
        Merlin crypto = new Merlin();
        crypto.setTrustStore(holding(request.texts("trust")));
        crypto.setKeyStore(holding(request.texts("known")));
        return crypto;
    }

    private static KeyStore holding(List<String> files) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        for (String name : files) {
            try (InputStream file = Files.newInputStream(Path.of(name))) {
                Certificate certificate = factory.generateCertificate(file);
                store.setCertificateEntry(name, certificate);
            }
        }
        return store;
    }
}
