// SPDX-License-Identifier: MIT
#include "tests/support/testauthority.h"

#include <QFile>
#include <QProcess>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>

namespace isol8::test {

using namespace Qt::StringLiterals;

namespace {

// Clients refuse an authority's certificate as a server's, so it takes two; Python 3.13 wants all
// of RFC 5280 in them.
constexpr auto script = R"(
set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $key -keyout authority.key -out authority.pem -subj "/CN=isol8 test" -days 2 \
    -addext keyUsage=critical,keyCertSign,cRLSign
openssl req $key -keyout server.key -out server.csr -subj "/CN=127.0.0.1"
cat >extensions <<END
subjectAltName=IP:127.0.0.1
basicConstraints=CA:FALSE
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
END
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
    -extfile extensions -out server.pem
)";

} // namespace

TestAuthority::TestAuthority()
{
    QProcess shell;
    shell.setWorkingDirectory(m_directory.path());
    shell.start(u"sh"_s, { u"-c"_s, QString::fromLatin1(script) });
    if (!shell.waitForFinished() || shell.exitCode() != 0)
        qWarning() << "no certificates:" << shell.readAllStandardError();
    else
        m_bundlePath = m_directory.filePath(u"authority.pem"_s);
}

std::unique_ptr<QSslServer> TestAuthority::server() const
{
    QFile key(m_directory.filePath(u"server.key"_s));
    if (!key.open(QIODevice::ReadOnly))
        return nullptr;
    auto configuration = QSslConfiguration::defaultConfiguration();
    configuration.setPrivateKey(QSslKey(key.readAll(), QSsl::Ec));
    configuration.setLocalCertificateChain(
        QSslCertificate::fromPath(m_directory.filePath(u"server.pem"_s)));
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    auto server = std::make_unique<QSslServer>();
    server->setSslConfiguration(configuration);
    return server;
}

} // namespace isol8::test
