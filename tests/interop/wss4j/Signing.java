package wss4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.crypto.dsig.Reference;
import javax.xml.namespace.QName;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.message.WSSecUsernameToken;
import org.w3c.dom.Document;

/**
 * An envelope, signed.
 *
 * <p>Fields: {@code envelope}; {@code now}; {@code keystore}, {@code alias}, {@code password}; {@code identifier}, how the
 * certificate is named; {@code signature}, {@code digest} and {@code c14n}, URIs of algorithms; {@code part}, several
 * times: Body, Timestamp, UsernameToken, BinarySecurityToken, STRTransform or {@code {namespace}Header}; {@code actor};
 * {@code ttl}, seconds, for a Timestamp; {@code username} and {@code secret}, for a UsernameToken with digest.
 */
final class Signing {
    private static final Map<String, Integer> IDENTIFIERS = Map.of(
        "DirectReference", WSConstants.BST_DIRECT_REFERENCE,
        "PKIPath", WSConstants.BST_DIRECT_REFERENCE,
        "IssuerSerial", WSConstants.ISSUER_SERIAL,
        "X509KeyIdentifier", WSConstants.X509_KEY_IDENTIFIER,
        "SKIKeyIdentifier", WSConstants.SKI_KEY_IDENTIFIER,
        "Thumbprint", WSConstants.THUMBPRINT_IDENTIFIER,
        "KeyValue", WSConstants.KEY_VALUE
    );

    private Signing() {
    }

    static String run(Request request) throws Exception {
        WSSConfig config = Configuration.ofSender(request);
        Document document = Envelope.parsed(request.text("envelope"));
        WSSecHeader header = new WSSecHeader(request.text("actor", null));
        header.insertSecurityHeader(document);
        addTimestamp(request, config, document, header);
        addUsernameToken(request, config, document, header);
        sign(request, config, document, header);
        return Envelope.serialised(document);
    }

    private static void addTimestamp(Request request, WSSConfig config, Document document, WSSecHeader header) {
        if (request.has("ttl")) {
            WSSecTimestamp timestamp = new WSSecTimestamp(config);
            timestamp.setTimeToLive(Integer.parseInt(request.text("ttl")));
            timestamp.build(document, header);
        }
    }

    private static void addUsernameToken(Request request, WSSConfig config, Document document, WSSecHeader header) {
        if (request.has("username")) {
            WSSecUsernameToken token = new WSSecUsernameToken(config);
            token.setPasswordType(WSConstants.PASSWORD_DIGEST);
            token.setUserInfo(request.text("username"), request.text("secret"));
            token.build(document, header);
        }
    }

    /** Signs; a BinarySecurityToken stands first, and so does the Signature after it unless it signs that token. */
    private static void sign(Request request, WSSConfig config, Document document, WSSecHeader header)
            throws Exception {
        WSSecSignature signature = new WSSecSignature(config);
        signature.setUserInfo(request.text("alias"), request.text("password"));
        signature.setKeyIdentifierType(IDENTIFIERS.get(request.text("identifier")));
        signature.setUseSingleCertificate(!request.text("identifier").equals("PKIPath"));
        signature.setSignatureAlgorithm(request.text("signature"));
        signature.setDigestAlgo(request.text("digest"));
        signature.setSigCanonicalization(request.text("c14n"));
        signature.prepare(document, Keys.ofSigner(request), header);
        boolean tokenIsSigned = request.texts("part").contains("BinarySecurityToken");
        if (tokenIsSigned) {
            signature.prependBSTElementToHeader(header);
        }
        List<Reference> references = signature.addReferencesToSign(parts(request, document, signature), header);
        signature.computeSignature(references, !tokenIsSigned, null);
        signature.prependBSTElementToHeader(header);
    }

    private static List<WSEncryptionPart> parts(Request request, Document document, WSSecSignature signature) {
        List<WSEncryptionPart> parts = new ArrayList<>();
        for (String name : request.texts("part")) {
            parts.add(part(name, document, signature));
        }
        return parts;
    }

    private static WSEncryptionPart part(String name, Document document, WSSecSignature signature) {
        return switch (name) {
            case "Body" -> element(document.getDocumentElement().getNamespaceURI(), name);
            case "Timestamp" -> element(WSConstants.WSU_NS, name);
            case "UsernameToken" -> element(WSConstants.WSSE_NS, name);
            case "BinarySecurityToken" -> new WSEncryptionPart(signature.getBSTTokenId());
            case "STRTransform" -> reference(name, signature.getSecurityTokenReferenceURI());
            default -> element(QName.valueOf(name).getNamespaceURI(), QName.valueOf(name).getLocalPart());
        };
    }

    private static WSEncryptionPart reference(String name, String id) {
        WSEncryptionPart part = element("", name);
        part.setId(id);
        return part;
    }

    private static WSEncryptionPart element(String namespace, String name) {
        return new WSEncryptionPart(name, namespace, "Element");
    }
}
