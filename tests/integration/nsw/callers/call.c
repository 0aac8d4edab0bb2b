/* Calls a ministry's call-back service as a C program made by gSOAP does: call ADDRESS < message > answer */
#include "soapH.h"
#include "BasicHttpBinding_USCOREIMTService.nsmap"

int main(int count, char **arguments) {
    static char message[1 << 20];
    size_t length = fread(message, 1, sizeof message - 1, stdin);
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING);
    struct _tempuri__ReceiveResultFromMT question = {message};
    struct _tempuri__ReceiveResultFromMTResponse answer;
    message[length] = 0;
    soap->connect_timeout = soap->recv_timeout = soap->send_timeout = 5;
    if (count < 2 || soap_call___tempuri__ReceiveResultFromMT(soap, arguments[1], NULL, &question, &answer)) {
        soap_print_fault(soap, stderr);
        return 1;
    }
    fputs(answer.ReceiveResultFromMTResult, stdout);
    soap_destroy(soap);
    soap_end(soap);
    soap_free(soap);
    return 0;
}
