package wss4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.namespace.QName;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.message.WSSecEncrypt;
import org.apache.ws.security.message.WSSecHeader;
import org.w3c.dom.Document;

/**
 * An envelope, encrypted; one that has a Security header gets the EncryptedKey first of it, or {@code last}.
 *
 * <p>Fields: {@code envelope}; {@code now}; {@code keystore}, {@code alias} and {@code password} of the recipient, of
 * which only the certificate is used; {@code identifier}, how it is named; {@code encryption}, {@code transport} and,
 * for OAEP, {@code digest}, URIs of algorithms; {@code part}, several times: Body, UsernameToken, Signature or {@code
 * {namespace}Header}, with {@code /Element} or {@code /Content} behind to say how; {@code embed}, to put the
 * EncryptedKey into the EncryptedData; {@code actor}.
 */
final class Encrypting {
    private static final Map<String, Integer> IDENTIFIERS = Map.of(
        "DirectReference", WSConstants.BST_DIRECT_REFERENCE,
        "IssuerSerial", WSConstants.ISSUER_SERIAL,
        "X509KeyIdentifier", WSConstants.X509_KEY_IDENTIFIER,
        "SKIKeyIdentifier", WSConstants.SKI_KEY_IDENTIFIER,
        "Thumbprint", WSConstants.THUMBPRINT_IDENTIFIER
    );

    private Encrypting() {
    }

    static String run(Request request) throws Exception {
        Document document = Envelope.parsed(request.text("envelope"));
        WSSecHeader header = new WSSecHeader(request.text("actor", null));
        header.insertSecurityHeader(document);
        WSSecEncrypt encryption = new WSSecEncrypt(Configuration.ofSender(request));
        encryption.setUserInfo(request.text("alias"));
        encryption.setKeyIdentifierType(IDENTIFIERS.get(request.text("identifier")));
        encryption.setSymmetricEncAlgorithm(request.text("encryption"));
        encryption.setKeyEnc(request.text("transport"));
        if (request.has("digest")) {
            encryption.setDigestAlgorithm(request.text("digest"));
        }
        encryption.setEmbedEncryptedKey(request.has("embed"));
        encryption.setParts(parts(request, document.getDocumentElement().getNamespaceURI()));
        encryption.build(document, Keys.ofSigner(request), header);
        return Envelope.serialised(document);
    }

    private static List<WSEncryptionPart> parts(Request request, String soap) {
        List<WSEncryptionPart> parts = new ArrayList<>();
        for (String name : request.texts("part")) {
            int slash = name.lastIndexOf('/');
            boolean says = name.endsWith("/Content") || name.endsWith("/Element");
            String how = says ? name.substring(slash + 1) : "";
            parts.add(part(says ? name.substring(0, slash) : name, how, soap));
        }
        return parts;
    }

    private static WSEncryptionPart part(String name, String how, String soap) {
        return switch (name) {
            case "Body" -> new WSEncryptionPart(name, soap, how.isEmpty() ? "Content" : how);
            case "UsernameToken" -> new WSEncryptionPart(name, WSConstants.WSSE_NS, "Element");
            case "Signature" -> new WSEncryptionPart(name, WSConstants.SIG_NS, "Element");
            default -> header(QName.valueOf(name), how.isEmpty() ? "Header" : how);
        };
    }

    private static WSEncryptionPart header(QName name, String how) {
        return new WSEncryptionPart(name.getLocalPart(), name.getNamespaceURI(), how);
    }
}
