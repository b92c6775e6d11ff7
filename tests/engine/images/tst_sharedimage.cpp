// SPDX-License-Identifier: MIT
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "tests/support/fakedocker.h"

#include <QCoroTask>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;
using test::FakeDocker;

/// Where the shared base comes from, with a Docker that has no image and a machine whose mmdebstrap
/// fails.
class TestSharedImage : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<FakeDocker> m_docker;
    std::unique_ptr<QTemporaryDir> m_directory;
    std::shared_ptr<docker::Client> m_client;
    ImageSettings m_settings;
    QList<ImageEvent> m_events;
    QByteArray m_path;
    bool m_isRegistrySilent = false;
    int m_pulls = 0;

    void answer()
    {
        const auto target = m_docker->requests().last().target;
        QByteArray reply = FakeDocker::answer(404, R"({"message":"no such thing"})");
        if (target.contains("/version"))
            reply = FakeDocker::answer(
                200, R"({"Version":"27.0","ApiVersion":"1.46","MinAPIVersion":"1.24"})");
        else if (target.contains("/info"))
            reply = FakeDocker::answer(200, R"({"ID":"x","Architecture":"x86_64"})");
        else if (target.contains("/containers/json") || target.contains("/images/json"))
            reply = FakeDocker::answer(200, "[]");
        else if (target.contains("/images/create")) {
            ++m_pulls;
            if (m_isRegistrySilent)
                return;
            reply = FakeDocker::answer(500, R"({"message":"no such host"})");
        }
        m_docker->connection()->write(reply);
    }

    Error build(ImageSettings::Source source, const CancelToken& cancel = {})
    {
        m_settings.source = source;
        ImageBuilder builder(m_client, m_settings);
        const auto handler = [this](const ImageEvent& event) { m_events << event; };
        const auto built
            = QCoro::waitFor(builder.buildBase(Runtime::Bash, Rebuild::IfChanged, handler, cancel));
        return built ? Error { Kind::Internal, u"it succeeded"_s } : built.error();
    }

    QStringList textsOf(ImageEvent::Kind kind) const
    {
        QStringList texts;
        for (const auto& event : m_events) {
            if (event.kind == kind)
                texts << event.text;
        }
        return texts;
    }

private Q_SLOTS:
    void init()
    {
        m_path = qgetenv("PATH");
        m_events.clear();
        m_pulls = 0;
        m_isRegistrySilent = false;
        m_directory = std::make_unique<QTemporaryDir>();
        m_settings = {};
        m_settings.stateDirectory = m_directory->filePath(u"state"_s);
        m_settings.workDirectory = m_directory->filePath(u"work"_s);
        m_settings.debianMirror = u"http://mirror.example/debian"_s;
        QVERIFY(QDir().mkpath(m_settings.workDirectory));
        QVERIFY(QDir().mkpath(m_directory->filePath(u"bin"_s)));
        for (const auto& name : { u"unshare"_s, u"mmdebstrap"_s }) {
            QFile program(m_directory->filePath(u"bin/"_s + name));
            QVERIFY(program.open(QIODevice::WriteOnly));
            program.write("#!/bin/sh\necho 'E: Could not resolve the mirror' >&2\nexit 1\n");
            QVERIFY(program.setPermissions(program.permissions() | QFile::ExeOwner));
        }
        qputenv("PATH", QFile::encodeName(m_directory->filePath(u"bin"_s)) + ":" + m_path);
        m_docker = std::make_unique<FakeDocker>();
        connect(m_docker.get(), &FakeDocker::requested, this, &TestSharedImage::answer);
        m_client = std::make_shared<docker::Client>(m_docker->endpoint());
    }

    void cleanup()
    {
        qputenv("PATH", m_path);
        QCOMPARE(QDir(m_settings.workDirectory).entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
            QStringList());
        m_client.reset();
        m_docker.reset();
    }

    void fallsBackToDebianAndSaysSo_data()
    {
        QTest::addColumn<bool>("isSilent");
        QTest::newRow("refused") << false;
        QTest::newRow("silent") << true;
    }

    void fallsBackToDebianAndSaysSo()
    {
        QFETCH(bool, isSilent);
        m_isRegistrySilent = isSilent;
        const auto error = build(ImageSettings::Source::Auto);
        QCOMPARE(error.kind, Kind::Unreachable);
        QVERIFY(error.message.contains("Debian mirror"_L1));
        QCOMPARE(m_pulls, 1);
        QCOMPARE(textsOf(ImageEvent::Kind::Info).size(), 1);
        QVERIFY(textsOf(ImageEvent::Kind::Info).first().contains("Debian's mirror instead"_L1));
        QCOMPARE(textsOf(ImageEvent::Kind::Step).size(), 2);
    }

    void staysWithTheRegistryWhenTold()
    {
        const auto error = build(ImageSettings::Source::Registry);
        QVERIFY(error.message.contains("no such host"_L1));
        QCOMPARE(textsOf(ImageEvent::Kind::Info), QStringList());
    }

    void asksNoRegistryForDebian()
    {
        QCOMPARE(build(ImageSettings::Source::Debian).kind, Kind::Unreachable);
        QCOMPARE(m_pulls, 0);
        QCOMPARE(textsOf(ImageEvent::Kind::Info), QStringList());
    }

    void isCancelledWhileTheRegistryIsAsked()
    {
        m_isRegistrySilent = true;
        const CancelToken cancel;
        connect(m_docker.get(), &FakeDocker::requested, this, [this, cancel] {
            if (m_pulls > 0)
                cancel.cancel();
        });
        QCOMPARE(build(ImageSettings::Source::Auto, cancel), cancelled());
        QCOMPARE(textsOf(ImageEvent::Kind::Info), QStringList());
    }
};

QTEST_GUILESS_MAIN(TestSharedImage)
#include "tst_sharedimage.moc"
