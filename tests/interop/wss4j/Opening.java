package wss4j;

import java.util.List;
import java.util.StringJoiner;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import org.apache.ws.security.WSConstants;
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
 * What WSS4J makes of an envelope for somebody: a line for each element that it found signed or encrypted, an empty
 * line, and the envelope as it is after decryption.
 *
 * <p>A line is a word ({@code signed}, {@code encrypted} or {@code confirmed}), a space, and {@code {namespace}name}.
 *
 * <p>Fields: those of {@link Verifying}; {@code keystore}, {@code alias} and {@code password} of the recipient.
 */
final class Opening {
    private Opening() {
    }

    static String run(Request request) throws Exception {
        try {
            Document document = Envelope.parsed(request.text("envelope"));
            Element header = WSSecurityUtil.getSecurityHeader(document, request.text("actor", null));
            if (header == null) {
                throw new Refused("InvalidSecurity: there is no Security header for this actor");
            }
            String found = found(new WSSecurityEngine().processSecurityHeader(header, settings(request)));
            return found + "\n\n" + Envelope.serialised(document);
        } catch (WSSecurityException reason) {
            throw new Refused(reason);
        } catch (SAXException reason) {
            throw new Refused("Malformed: " + reason.getMessage());
        }
    }

    private static RequestData settings(Request request) throws Exception {
        CallbackHandler passwords = callbacks -> {
            for (Callback callback : callbacks) {
                ((WSPasswordCallback) callback).setPassword(request.text("password"));
            }
        };
        RequestData settings = new RequestData();
        settings.setWssConfig(Configuration.ofReceiver(request));
        settings.setSigCrypto(Keys.ofVerifier(request));
        settings.setDecCrypto(Keys.ofSigner(request));
        settings.setCallbackHandler(passwords);
        return settings;
    }

    private static String found(List<WSSecurityEngineResult> results) {
        StringJoiner lines = new StringJoiner("\n");
        for (WSSecurityEngineResult result : results) {
            int action = (Integer) result.get(WSSecurityEngineResult.TAG_ACTION);
            if (action == WSConstants.SC) {
                lines.add("confirmed " + result.get(WSSecurityEngineResult.TAG_SIGNATURE_CONFIRMATION).getClass());
            }
            if (result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS) instanceof List<?> references) {
                String word = action == WSConstants.SIGN ? "signed " : "encrypted ";
                references.forEach(reference -> lines.add(word + ((WSDataRef) reference).getName()));
            }
        }
        return lines.toString();
    }
}
