// SPDX-License-Identifier: MIT
#include "engine/docker/attachedstream.h"
#include "engine/docker/client.h"
#include "engine/files/tar.h"
#include "engine/guest/guestbinary.h"
#include "engine/guest/protocol.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <QUuid>
#include <QtEndian>

#include <QCoroTask>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::docker;

namespace {

constexpr int patience = 60'000;

QString uniqueName(const QString& what)
{
    return u"isol8-test-%1-%2"_s.arg(what, QUuid::createUuid().toString(QUuid::Id128));
}

template <typename T> Result<T> wait(Task<T> task)
{
    return QCoro::waitFor(std::move(task));
}

ContainerSpec bareSpec(const QString& image)
{
    ContainerSpec spec;
    spec.image = image;
    spec.entrypoint = { u"/nothing"_s };
    spec.isRemovedOnExit = false;
    spec.cgroupNamespace.clear();
    return spec;
}

} // namespace

/// The client and a real daemon: an image of two files, containers that are never started,
/// and one that runs isol8-guest.
class TestLiveDocker : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void cleanup();
    void tellsAboutTheDaemon();
    void importedImageIsFound();
    void containerLivesAndGoes();
    void archiveGoesInAndOut();
    void volumeLivesAndGoes();
    void conflictAndMissingAreTold();
    void startFailureIsTold();
    void attachedStreamIsBinaryClean();

private:
    Result<QString> create(const ContainerSpec& spec, const QString& name);

    std::unique_ptr<Client> m_client;
    QStringList m_containers; ///< Of the running case.
    QString m_image;
    QString m_reference;
};

void TestLiveDocker::initTestCase()
{
    const auto endpoint = resolveEndpoint();
    QVERIFY2(endpoint, qPrintable(endpoint ? QString() : endpoint.error().message));
    m_client = std::make_unique<Client>(*endpoint);
    QTemporaryDir directory;
    QFile tar(directory.filePath(u"root.tar"_s));
    QVERIFY(tar.open(QIODevice::WriteOnly));
    QVERIFY(writeTar(tar, { { .path = u"etc/motd"_s, .content = "hello\n" } }));
    tar.close();
    m_reference = uniqueName(u"image"_s) + u":one"_s;
    const auto image = wait(
        m_client->importImage(tar.fileName(), m_reference, { u"LABEL isol8.test=yes"_s }, {}));
    QVERIFY2(image, qPrintable(image ? QString() : image.error().message));
    m_image = *image;
}

void TestLiveDocker::cleanupTestCase()
{
    if (!m_image.isEmpty())
        QVERIFY(wait(m_client->removeImage(m_reference)));
    m_client.reset();
}

void TestLiveDocker::cleanup()
{
    for (const auto& id : std::exchange(m_containers, {}))
        QVERIFY(wait(m_client->removeContainer(id)));
}

Result<QString> TestLiveDocker::create(const ContainerSpec& spec, const QString& name)
{
    auto id = wait(m_client->createContainer(spec, name));
    if (id)
        m_containers << *id;
    return id;
}

void TestLiveDocker::tellsAboutTheDaemon()
{
    const auto version = wait(m_client->version());
    QVERIFY(version);
    QVERIFY(!version->version.isEmpty());
    QVERIFY(version->apiVersion.startsWith(u"1."_s));
    const auto info = wait(m_client->info());
    QVERIFY(info);
    QVERIFY(!info->architecture.isEmpty());
    QVERIFY(info->cpus > 0);
}

void TestLiveDocker::importedImageIsFound()
{
    QVERIFY(m_image.startsWith(u"sha256:"_s));
    const auto image = wait(m_client->inspectImage(m_reference));
    QVERIFY(image);
    QCOMPARE(image->id, m_image);
    QVERIFY(image->tags.contains(m_reference));
    QCOMPARE(image->labels.value(u"isol8.test"_s), u"yes"_s);
    QVERIFY(image->created.isValid());

    const auto other = uniqueName(u"tag"_s).toLower();
    QVERIFY(wait(m_client->tagImage(m_reference, u"isol8/"_s + other, u"two"_s)));
    const auto list = wait(m_client->listImages({ u"isol8.test=yes"_s }));
    QVERIFY(list);
    const auto found = std::ranges::find(*list, m_image, &ImageDetails::id);
    QVERIFY(found != list->end());
    QVERIFY(found->tags.contains(u"isol8/%1:two"_s.arg(other)));
    QVERIFY(wait(m_client->inspectImage(u"isol8/%1:two"_s.arg(other))));
    QVERIFY(wait(m_client->removeImage(u"isol8/%1:two"_s.arg(other))));
    QVERIFY(wait(m_client->removeImage(u"isol8/%1:two"_s.arg(other))));
    const auto gone = wait(m_client->inspectImage(u"isol8/%1:two"_s.arg(other)));
    QVERIFY(!gone);
    QCOMPARE(gone.error().kind, Kind::NotFound);
}

void TestLiveDocker::containerLivesAndGoes()
{
    auto spec = bareSpec(m_image);
    const auto mark = uniqueName(u"mark"_s);
    spec.labels = { { u"isol8.test"_s, mark } };
    spec.memoryBytes = spec.memorySwapBytes = 64 << 20;
    spec.pidsLimit = 10;
    spec.capabilitiesDropped = { u"ALL"_s };
    spec.tmpfs = { { u"/tmp"_s, u"rw,noexec,size=1048576"_s } };
    spec.ulimits = { { u"nofile"_s, 64, 64 } };
    const auto name = uniqueName(u"container"_s);
    const auto id = create(spec, name);
    QVERIFY2(id, qPrintable(id ? QString() : id.error().message));

    const auto details = wait(m_client->inspectContainer(name));
    QVERIFY(details);
    QCOMPARE(details->id, *id);
    QCOMPARE(details->name, name);
    QCOMPARE(details->imageId, m_image);
    QCOMPARE(details->status, u"created"_s);
    QVERIFY(!details->isRunning);
    const auto raw = wait(m_client->inspectContainerRaw(*id));
    QVERIFY(raw);
    const auto host = raw->value(u"HostConfig"_s).toObject();
    QCOMPARE(host.value(u"Memory"_s).toInteger(), 64 << 20);
    QCOMPARE(host.value(u"PidsLimit"_s).toInteger(), 10);
    QCOMPARE(host.value(u"NetworkMode"_s).toString(), u"none"_s);
    QCOMPARE(host.value(u"ReadonlyRootfs"_s).toBool(), true);
    QCOMPARE(host.value(u"LogConfig"_s).toObject().value(u"Type"_s).toString(), u"none"_s);

    const auto code = wait(m_client->waitContainer(*id));
    QVERIFY(code);
    QCOMPARE(*code, 0);

    const auto renamed = uniqueName(u"renamed"_s);
    QVERIFY(wait(m_client->renameContainer(*id, renamed)));
    const auto list = wait(m_client->listContainers({ u"isol8.test="_s + mark }));
    QVERIFY(list);
    QCOMPARE(list->size(), 1);
    QCOMPARE(list->first().names, QStringList { renamed });
    QCOMPARE(list->first().state, u"created"_s);
    QCOMPARE(list->first().labels.value(u"isol8.test"_s), mark);

    const auto kill = wait(m_client->killContainer(*id, u"SIGKILL"_s));
    QVERIFY(!kill);
    QCOMPARE(kill.error().kind, Kind::Conflict);
    QVERIFY(wait(m_client->removeContainer(*id)));
    QVERIFY(wait(m_client->removeContainer(*id)));
    const auto empty = wait(m_client->listContainers({ u"isol8.test="_s + mark }));
    QVERIFY(empty);
    QVERIFY(empty->isEmpty());
}

void TestLiveDocker::archiveGoesInAndOut()
{
    auto spec = bareSpec(m_image);
    spec.isRootReadOnly = false;
    const auto id = create(spec, {});
    QVERIFY(id);
    const QByteArray content(100'000, 'x');
    const auto tar = tarOf({ { .path = u"a name"_s, .content = content } });
    QVERIFY(tar);
    QVERIFY(wait(m_client->putArchive(*id, u"/etc"_s, *tar)));
    const auto fetched = wait(m_client->fetchArchive(*id, u"/etc/a name"_s, 1 << 20));
    QVERIFY(fetched);
    QVERIFY(fetched->contains(content));
    const auto tooLarge = wait(m_client->fetchArchive(*id, u"/etc/a name"_s, 50'000));
    QVERIFY(!tooLarge);
    QCOMPARE(tooLarge.error().kind, Kind::Limit);
    const auto missing = wait(m_client->fetchArchive(*id, u"/etc/none"_s, 1 << 20));
    QVERIFY(!missing);
    QCOMPARE(missing.error().kind, Kind::NotFound);
    QVERIFY(wait(m_client->removeContainer(*id)));
}

void TestLiveDocker::volumeLivesAndGoes()
{
    const auto name = uniqueName(u"volume"_s);
    QVERIFY(wait(m_client->createVolume(name, { { u"isol8.test"_s, name } })));
    const auto volume = wait(m_client->inspectVolume(name));
    QVERIFY(volume);
    QCOMPARE(volume->name, name);
    const auto list = wait(m_client->listVolumes({ u"isol8.test="_s + name }));
    QVERIFY(list);
    QCOMPARE(list->size(), 1);
    QCOMPARE(list->first().labels.value(u"isol8.test"_s), name);

    auto spec = bareSpec(m_image);
    spec.volumes = { { name, u"/.isol8"_s, false } };
    const auto id = create(spec, {});
    QVERIFY(id);
    const auto inUse = wait(m_client->removeVolume(name));
    QVERIFY(!inUse);
    QCOMPARE(inUse.error().kind, Kind::Conflict);
    QVERIFY(wait(m_client->removeContainer(*id)));
    QVERIFY(wait(m_client->removeVolume(name)));
    QVERIFY(wait(m_client->removeVolume(name)));
    const auto gone = wait(m_client->inspectVolume(name));
    QVERIFY(!gone);
    QCOMPARE(gone.error().kind, Kind::NotFound);
}

void TestLiveDocker::conflictAndMissingAreTold()
{
    const auto name = uniqueName(u"twice"_s);
    const auto id = create(bareSpec(m_image), name);
    QVERIFY(id);
    const auto twice = create(bareSpec(m_image), name);
    QVERIFY(!twice);
    QCOMPARE(twice.error().kind, Kind::Conflict);
    QCOMPARE(twice.error().httpStatus, 409);
    QVERIFY(twice.error().message.contains(name));
    QVERIFY(wait(m_client->removeContainer(name)));

    const auto noImage = create(bareSpec(uniqueName(u"none"_s)), {});
    QVERIFY(!noImage);
    QCOMPARE(noImage.error().kind, Kind::NotFound);
    const auto noContainer = wait(m_client->attach(name));
    QVERIFY(!noContainer);
    QCOMPARE(noContainer.error().kind, Kind::NotFound);
    QVERIFY(noContainer.error().message.contains(name));
    const auto noVolume = wait(m_client->inspectContainer({}));
    QVERIFY(!noVolume);
    QCOMPARE(noVolume.error().kind, Kind::Invalid);
}

void TestLiveDocker::startFailureIsTold()
{
    const auto id = create(bareSpec(m_image), {});
    QVERIFY(id);
    const auto stream = wait(m_client->attach(*id));
    QVERIFY2(stream, qPrintable(stream ? QString() : stream.error().message));
    const auto started = wait(m_client->startContainer(*id));
    QVERIFY(!started);
    QVERIFY2(started.error().message.contains(u"/nothing"_s), qPrintable(started.error().message));
    QVERIFY(wait(m_client->removeContainer(*id)));
}

void TestLiveDocker::attachedStreamIsBinaryClean()
{
    auto spec = bareSpec(m_image);
    spec.isRootReadOnly = false;
    spec.entrypoint = { u"/guest"_s };
    const auto id = create(spec, {});
    QVERIFY(id);
    const auto tar = tarOf({ { .path = u"guest"_s, .mode = 0755, .content = guestBinary() } });
    QVERIFY(tar);
    QVERIFY(wait(m_client->putArchive(*id, u"/"_s, *tar)));
    const auto stream = wait(m_client->attach(*id));
    QVERIFY2(stream, qPrintable(stream ? QString() : stream.error().message));
    QByteArray heard;
    std::optional<Error> closed;
    connect(stream->get(), &AttachedStream::stdoutReceived, this,
        [&heard](const QByteArray& bytes) { heard += bytes; });
    connect(stream->get(), &AttachedStream::closed, this,
        [&closed](const Error& reason) { closed = reason; });
    (*stream)->setReading(true);
    const auto started = wait(m_client->startContainer(*id));
    QVERIFY2(started, qPrintable(started ? QString() : started.error().message));
    QVERIFY(wait(m_client->startContainer(*id))); // It runs already.

    // The guest sends the nonce back. Docker's detach keys are in it.
    const QByteArray nonce("\x10\x11\0\xff\x03\x04\x1a\x1c\r\n\x10\x11\x7f\x80\xc3\x28", 16);
    QByteArray hello(guest::headerBytes + 4, '\0');
    hello[0] = char(guest::Type::Hello);
    qToLittleEndian(quint32(4 + nonce.size()), hello.data() + 8);
    qToLittleEndian(quint32(guest::protocolVersion), hello.data() + guest::headerBytes);
    (*stream)->write(hello + nonce);
    QTRY_VERIFY_WITH_TIMEOUT(heard.contains(nonce), patience);

    const auto details = wait(m_client->inspectContainer(*id));
    QVERIFY(details);
    QVERIFY(details->isRunning);
    QVERIFY(details->pid > 0);
    QVERIFY(wait(m_client->killContainer(*id, u"SIGKILL"_s)));
    QTRY_VERIFY_WITH_TIMEOUT(closed, patience);
    QCOMPARE(closed->kind, Kind::Unreachable);
    const auto code = wait(m_client->waitContainer(*id));
    QVERIFY(code);
    QCOMPARE(*code, 137);
}

QTEST_GUILESS_MAIN(TestLiveDocker)
#include "tst_livedocker.moc"
