package wss4j;

import java.util.List;
import java.util.StringJoiner;
import javax.security.auth.callback.Callback;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSPasswordCallback;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.WSSecurityException;
import org.apache.ws.security.handler.RequestData;
import org.apache.ws.security.util.WSSecurityUtil;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/**
 * Whether WSS4J takes an envelope, and what it found signed: a line {@code {namespace}name} for each element.
 *
 * <p>Fields: {@code envelope}; {@code trust} and {@code known}, files of certificates; {@code actor}; {@code bsp};
 * {@code secret}, the password of whoever signs with it.
 */
final class Verifying {
    private Verifying() {
    }

    static String run(Request request) throws Exception {
        try {
            Document document = Envelope.parsed(request.text("envelope"));
            Element header = WSSecurityUtil.getSecurityHeader(document, request.text("actor", null));
            if (header == null) {
                throw new Refused("InvalidSecurity: there is no Security header for this actor");
            }
            return signedParts(new WSSecurityEngine().processSecurityHeader(header, settings(request)));
        } catch (WSSecurityException reason) {
            throw new Refused(reason);
        } catch (SAXException reason) {
            throw new Refused("Malformed: " + reason.getMessage());
        }
    }

    private static RequestData settings(Request request) throws Exception {
        RequestData settings = new RequestData();
        settings.setWssConfig(Configuration.ofReceiver(request));
        settings.setSigCrypto(Keys.ofVerifier(request));
        String secret = request.text("secret", null);
        settings.setCallbackHandler(callbacks -> {
            for (Callback callback : callbacks) {
                ((WSPasswordCallback) callback).setPassword(secret);
            }
        });
        return settings;
    }

    private static String signedParts(List<WSSecurityEngineResult> results) {
        StringJoiner names = new StringJoiner("\n");
        for (WSSecurityEngineResult result : results) {
            if (result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS) instanceof List<?> references) {
                references.forEach(reference -> names.add(((WSDataRef) reference).getName().toString()));
            }
        }
        return names.toString();
    }
}
