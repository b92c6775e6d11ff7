// SPDX-License-Identifier: MIT
#include "tests/ui/support/windowfixture.h"

#include "ui/theme/theme.h"

#include <QLabel>
#include <QSignalSpy>

namespace isol8::tests {

using namespace Qt::StringLiterals;

WindowFixture::WindowFixture(ui::EngineFactory engines, ui::DockerClientFactory clients)
    : m_engine(std::make_shared<FakeEngine>())
    , m_engines(std::move(engines))
    , m_clients(std::move(clients))
{
    if (!m_engines)
        m_engines = [engine = m_engine](const ui::Target&, const QString&) {
            return Result<std::shared_ptr<Engine>>(engine);
        };
    open();
}

WindowFixture::~WindowFixture()
{
    m_window.reset();
    m_services.reset();
}

void WindowFixture::open()
{
    const auto home = m_home.path();
    m_services = std::make_unique<ui::Services>(
        ui::Places { home + u"/config"_s, home + u"/data"_s, home },
        ui::Surroundings { m_engines, m_clients, ui::KeyStore::Backend::FileOnly });
    ui::applyTheme(*qApp, m_services->settings.values().colourScheme);
    m_window = std::make_unique<ui::MainWindow>(*m_services);
    m_window->show();
    activate();
}

void WindowFixture::activate()
{
    m_window->activateWindow();
    if (!QTest::qWaitForWindowActive(m_window.get(), 60'000))
        qFatal("the window does not become active");
}

void WindowFixture::restart()
{
    m_window.reset();
    m_services.reset();
    open();
}

FakeRun* WindowFixture::run() const
{
    return m_engine->runs.empty() ? nullptr : m_engine->runs.back().data();
}

QString WindowFixture::status()
{
    return part<QLabel>("outputStatus")->text();
}

QString WindowFixture::sentence()
{
    const auto* text = page()->findChild<QLabel*>(u"messageText"_s);
    return text->isVisible() ? text->text() : QString();
}

void WindowFixture::type(const QString& text)
{
    auto* target = QApplication::focusWidget();
    if (!target)
        qFatal("nothing has the focus");
    for (const auto character : text) {
        if (character == u'\n')
            QTest::keyClick(target, Qt::Key_Return);
        else
            QTest::keyClick(target, character.toLatin1());
    }
}

void WindowFixture::press(int key, Qt::KeyboardModifiers modifiers)
{
    auto* target = QApplication::focusWidget();
    QTest::keyClick(target ? target : m_window.get(), Qt::Key(key), modifiers);
}

QString WindowFixture::writeFile(const QString& name, const QByteArray& content) const
{
    QFile file(filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write %s", qPrintable(file.fileName()));
    return file.fileName();
}

} // namespace isol8::tests
