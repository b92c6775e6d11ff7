// SPDX-License-Identifier: MIT
#include "engine/sandbox/networkenvironment.h"

#include "engine/core/hostname.h"
#include "engine/guest/protocol.h"

namespace isol8 {

using namespace Qt::StringLiterals;

QMap<QString, QString> proxyEnvironment(const NetworkFilter& filter)
{
    QStringList direct { u"localhost"_s, u"127.0.0.1"_s, u"::1"_s };
    for (const auto& exception : filter.allowAddresses) {
        const auto host = hostAndPortFromText(exception);
        if (host)
            direct.removeAll(host->host.text);
    }
    const auto proxy = u"http://127.0.0.1:%1"_s.arg(guest::carriedPort);
    QMap<QString, QString> variables { { u"NODE_USE_ENV_PROXY"_s, u"1"_s } };
    // curl takes http_proxy in small letters only, others look for the large ones first.
    for (const auto& name : { u"http_proxy"_s, u"https_proxy"_s, u"all_proxy"_s, u"HTTP_PROXY"_s,
             u"HTTPS_PROXY"_s, u"ALL_PROXY"_s })
        variables.insert(name, proxy);
    for (const auto& name : { u"no_proxy"_s, u"NO_PROXY"_s })
        variables.insert(name, direct.join(u','));
    return variables;
}

QMap<QString, QString> trustEnvironment()
{
    QMap<QString, QString> variables;
    for (const auto& name : { u"SSL_CERT_FILE"_s, u"CURL_CA_BUNDLE"_s, u"REQUESTS_CA_BUNDLE"_s,
             u"PIP_CERT"_s, u"NODE_EXTRA_CA_CERTS"_s, u"DENO_CERT"_s, u"GIT_SSL_CAINFO"_s,
             u"CARGO_HTTP_CAINFO"_s, u"AWS_CA_BUNDLE"_s })
        variables.insert(name, sandboxBundlePath);
    return variables;
}

} // namespace isol8
