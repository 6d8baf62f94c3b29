package wss4j;

/** One thing that WSS4J is asked to do. */
@FunctionalInterface
interface Operation {
    /**
     * What came of the request.
     *
     * @throws Refused WSS4J does not take the message
     * @throws Exception anything else, which is a failure of the test
     */
    String run(Request request) throws Exception;
}
