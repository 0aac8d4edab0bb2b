<?php
// Calls a ministry's call-back service as a PHP program does: php call.php WSDL OPERATION < message > answer
ini_set('soap.wsdl_cache_enabled', '0');
ini_set('display_errors', 'stderr');
$client = new SoapClient($argv[1], ['cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true, 'connection_timeout' => 5]);
$operation = $argv[2];
$result = $operation . 'Result';
try {
    echo $client->__soapCall($operation, [['XMLData' => stream_get_contents(STDIN)]])->$result;
} catch (SoapFault $fault) {
    fwrite(STDERR, 'fault ' . $fault->faultcode . ': ' . $fault->getMessage());
    exit(1);
}
