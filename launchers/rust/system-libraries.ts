/** Crates that need a library of the system, and how that is called where one installs it. */

export interface SystemLibrary {
  /** As pkg-config and people call it. */
  readonly name: string;
  /** Package of Debian and Ubuntu. */
  readonly apt: string;
  /** Homebrew's; null where macOS has it or there is none. */
  readonly brew: string | null;
}

const library = (name: string, apt: string, brew: string | null = null): SystemLibrary => ({ name, apt, brew });

const DBUS = library('dbus-1', 'libdbus-1-dev', 'dbus');
const GTK = library('gtk+-3.0', 'libgtk-3-dev', 'gtk+3');
const X11 = library('x11', 'libx11-dev libxtst-dev libxi-dev');
const FFMPEG = library('libavutil', 'libavformat-dev libavfilter-dev libavdevice-dev libclang-dev', 'ffmpeg');
const PIPEWIRE = library('libpipewire-0.3', 'libpipewire-0.3-dev libclang-dev');

/** By the crate whose build script looks for it; those that bring their own are left out. */
const BY_CRATE: Readonly<Record<string, SystemLibrary>> = {
  'alsa-sys': library('alsa', 'libasound2-dev'),
  'atk-sys': GTK,
  'cairo-sys-rs': library('cairo', 'libcairo2-dev', 'cairo'),
  'clang-sys': library('libclang', 'libclang-dev', 'llvm'),
  'ffmpeg-sys-next': FFMPEG,
  'gdk-sys': GTK,
  'gio-sys': library('gio-2.0', 'libglib2.0-dev', 'glib'),
  'glib-sys': library('glib-2.0', 'libglib2.0-dev', 'glib'),
  'gobject-sys': library('gobject-2.0', 'libglib2.0-dev', 'glib'),
  'gstreamer-sys': library('gstreamer-1.0', 'libgstreamer1.0-dev', 'gstreamer'),
  'gtk-sys': GTK,
  'input-sys': library('libinput', 'libinput-dev'),
  'jack-sys': library('jack', 'libjack-dev', 'jack'),
  'leptonica-sys': library('lept', 'libleptonica-dev', 'leptonica'),
  'libdbus-sys': DBUS,
  'libpulse-sys': library('libpulse', 'libpulse-dev', 'pulseaudio'),
  'libspa-sys': PIPEWIRE,
  'libudev-sys': library('libudev', 'libudev-dev'),
  'libxdo-sys': library('libxdo', 'libxdo-dev', 'xdotool'),
  'mysqlclient-sys': library('mysqlclient', 'libmysqlclient-dev', 'mysql-client'),
  opencv: library('opencv4', 'libopencv-dev libclang-dev', 'opencv'),
  'openssl-sys': library('openssl', 'libssl-dev', 'openssl'),
  'pango-sys': library('pango', 'libpango1.0-dev', 'pango'),
  'pcsc-sys': library('libpcsclite', 'libpcsclite-dev'),
  'pipewire-sys': PIPEWIRE,
  'pq-sys': library('libpq', 'libpq-dev', 'libpq'),
  'soup3-sys': library('libsoup-3.0', 'libsoup-3.0-dev', 'libsoup'),
  'tesseract-sys': library('tesseract', 'libtesseract-dev', 'tesseract'),
  'wayland-sys': library('wayland-client', 'libwayland-dev'),
  'webkit2gtk-sys': library('webkit2gtk-4.1', 'libwebkit2gtk-4.1-dev'),
  x11: X11,
  xcb: library('xcb', 'libxcb1-dev libxcb-randr0-dev libxcb-shm0-dev'),
  'yeslogic-fontconfig-sys': library('fontconfig', 'libfontconfig-dev', 'fontconfig'),
  'zmq-sys': library('libzmq', 'libzmq3-dev', 'zeromq'),
};

/** True for a crate that can't be built without a library of the system. */
export const needsSystemLibrary = (crate: string): boolean => Object.hasOwn(BY_CRATE, crate);

/** What a crate, or a pkg-config name or linker flag (`alsa`, `openssl`, `xdo`), stands for; null when unknown. */
export function systemLibrary(name: string): SystemLibrary | null {
  const bare = name.replace(/^lib/, '');
  return (
    BY_CRATE[name] ??
    Object.values(BY_CRATE).find((each) => each.name === name || each.name.replace(/^lib/, '') === bare) ??
    null
  );
}

/** How to get it, a sentence. */
export const howToGet = ({ apt, brew }: SystemLibrary): string =>
  `On Debian or Ubuntu \`sudo apt install ${apt}\`${brew === null ? '' : `, on macOS \`brew install ${brew}\``}, then try again.`;
