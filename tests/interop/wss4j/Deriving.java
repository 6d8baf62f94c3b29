package wss4j;

import java.util.List;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.message.WSSecDKEncrypt;
import org.apache.ws.security.message.WSSecDKSign;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.message.WSSecUsernameToken;
import org.w3c.dom.Document;

/**
 * An envelope of a user who shows no password, but signs with a key that is made of it.
 *
 * <p>Fields: {@code envelope}; {@code now}; {@code username}, {@code secret}; {@code iterations}; {@code signature}, URI
 * of an HMAC; {@code key}: "direct" for the key itself, "derived" for one that is derived from it; {@code encrypted},
 * "true" for a Body that is encrypted under a derived key, too.
 */
final class Deriving {
    private static final List<WSEncryptionPart> SIGNED = List.of(
        new WSEncryptionPart("Timestamp", WSConstants.WSU_NS, "Element"),
        new WSEncryptionPart("Body", WSConstants.URI_SOAP11_ENV, "Element")
    );

    private Deriving() {
    }

    static String run(Request request) throws Exception {
        WSSConfig config = Configuration.ofSender(request);
        Document document = Envelope.parsed(request.text("envelope"));
        WSSecHeader header = new WSSecHeader();
        header.insertSecurityHeader(document);
        WSSecTimestamp timestamp = new WSSecTimestamp(config);
        timestamp.setTimeToLive(300);
        timestamp.build(document, header);
        boolean direct = request.text("key").equals("direct");
        WSSecUsernameToken token = new WSSecUsernameToken(config);
        token.setUserInfo(request.text("username"), request.text("secret"));
        token.addDerivedKey(direct, null, Integer.parseInt(request.text("iterations")));
        token.prepare(document);
        if (direct) {
            sign(request, config, document, header, token);
        } else {
            signDerived(request, config, document, header, token);
        }
        if (request.text("encrypted").equals("true")) {
            encrypt(config, document, header, token);
        }
        token.prependToHeader(header);
        return Envelope.serialised(document);
    }

    private static void sign(
            Request request, WSSConfig config, Document document, WSSecHeader header, WSSecUsernameToken token)
            throws Exception {
        WSSecSignature signature = new WSSecSignature(config);
        signature.setCustomTokenValueType(WSConstants.WSS_USERNAME_TOKEN_VALUE_TYPE);
        signature.setCustomTokenId(token.getId());
        signature.setSecretKey(token.getDerivedKey());
        signature.setKeyIdentifierType(WSConstants.CUSTOM_SYMM_SIGNING);
        signature.setSignatureAlgorithm(request.text("signature"));
        signature.setDigestAlgo(request.text("digest"));
        signature.setParts(SIGNED);
        signature.build(document, null, header);
    }

    private static void signDerived(
            Request request, WSSConfig config, Document document, WSSecHeader header, WSSecUsernameToken token)
            throws Exception {
        WSSecDKSign signature = new WSSecDKSign(config);
        signature.setExternalKey(token.getDerivedKey(), token.getId());
        signature.setCustomValueType(WSConstants.WSS_USERNAME_TOKEN_VALUE_TYPE);
        signature.setSignatureAlgorithm(request.text("signature"));
        signature.setParts(SIGNED);
        signature.build(document, header);
    }

    private static void encrypt(
            WSSConfig config, Document document, WSSecHeader header, WSSecUsernameToken token) throws Exception {
        WSSecDKEncrypt encryption = new WSSecDKEncrypt(config);
        encryption.setExternalKey(token.getDerivedKey(), token.getId());
        encryption.setCustomValueType(WSConstants.WSS_USERNAME_TOKEN_VALUE_TYPE);
        encryption.setSymmetricEncAlgorithm(WSConstants.AES_128);
        encryption.build(document, header);
    }
}
