// SPDX-License-Identifier: MIT
#pragma once

#include <QSslServer>
#include <QTemporaryDir>

#include <memory>

namespace isol8::test {

/// A certificate authority of the test's own, made with openssl(1), and a certificate of it for
/// 127.0.0.1.
class TestAuthority {
public:
    TestAuthority();

    /// The authority's certificate; empty when it could not be made.
    [[nodiscard]] QString bundlePath() const { return m_bundlePath; }
    /// A TLS server with the certificate.
    [[nodiscard]] std::unique_ptr<QSslServer> server() const;

private:
    QTemporaryDir m_directory;
    QString m_bundlePath;
};

} // namespace isol8::test
