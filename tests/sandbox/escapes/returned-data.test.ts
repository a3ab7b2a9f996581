import { expect } from 'vitest';
import type { Probe } from './probe.ts';
import { runProbes } from './run-probes.ts';

type Look = NonNullable<Probe['afterwards']>;

const noImage: Look = (_, { images }) => {
  expect(images).toEqual([]);
};

const bytesAtMost =
  (most: number): Look =>
  (_, { images }) => {
    for (const image of images) expect(image.data.length).toBeLessThan(most);
  };

const probes: Probe[] = [
  {
    name: 'an object that a pickle would run',
    code: `
class Trap:
    def __reduce__(self):
        return (os.system, ("echo x > /tmp/pickled",))
Trap()`,
    outcomes: ['ok'],
    prints: /Trap object/,
  },
  {
    name: 'exceptions that cannot be told of',
    code: `
class Odd(BaseException):
    def __str__(self):
        raise Odd
    __repr__ = __str__
    __traceback__ = property(lambda self: 1 / 0)
    args = property(lambda self: 1 / 0)
Odd.__name__ = "\\ud800" * 10
Odd.__qualname__ = "x" * 1000
raise Odd`,
    outcomes: ['exception'],
  },
  {
    name: 'an exception with an endless text',
    session: { limits: { callSeconds: 1 } },
    code: 'class Endless(Exception):\n    def __str__(self):\n        while True:\n            pass\nraise Endless',
    outcomes: ['timeout'],
  },
  {
    name: 'an exception whose message is large',
    code: 'raise ValueError("x" * 100_000_000)',
    outcomes: ['exception', 'memory'],
    afterwards: (_, { error }) => {
      expect(error?.message.length).toBeLessThanOrEqual(8192);
    },
  },
  {
    name: 'a syntax error that names strange lines',
    code: 'error = SyntaxError("x")\nerror.filename, error.lineno, error.msg = "<code>", 1 << 80, object()\nraise error',
    outcomes: ['exception'],
  },
  {
    name: 'texts that are no Unicode',
    code: 'print("\\ud800\\udfff\\x00\\x1b[2J\\u202e" * 100)\nsys.stderr.write("\\udc80")',
    outcomes: ['ok', 'exception'],
  },
  {
    name: 'a text that lies of its length',
    code: `
class Text(str):
    def __len__(self):
        return 0
    def __getitem__(self, key):
        return self
    def __add__(self, other):
        return self
sys.stdout.write(Text("x" * 1_000_000))`,
    outcomes: ['ok', 'exception', 'policy', 'no_output'],
    afterwards: (_, { stdout }) => {
      expect(stdout.length).toBeLessThanOrEqual(8192);
    },
  },
  {
    name: 'an image of too many pixels',
    session: { limits: { callSeconds: 30, memoryMib: 256 } },
    code: 'Image.new("1", (60000, 60000))',
    outcomes: ['exception', 'memory'],
    afterwards: noImage,
  },
  {
    name: 'an image that is far longer than wide',
    code: 'Image.new("L", (1, 8_000_000))',
    afterwards: bytesAtMost(1_000_000),
  },
  {
    name: 'an array of many pixels in no memory',
    session: { limits: { callSeconds: 30, memoryMib: 256 } },
    code: 'np.broadcast_to(np.uint8(1), (200_000, 200_000))',
    outcomes: ['exception', 'memory'],
    afterwards: noImage,
  },
  {
    name: 'an image that unpacks to gigabytes',
    session: { limits: { callSeconds: 30, memoryMib: 512 } },
    code: `
import io, zlib
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
packer = zlib.compressobj(9)
rows = b"".join(packer.compress(bytes(50_000_000 // 8)) for _ in range(200)) + packer.flush()
header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
bomb = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
Image.MAX_IMAGE_PIXELS = None
Image.open(io.BytesIO(bomb))`,
    outcomes: ['exception', 'memory'],
    afterwards: noImage,
  },
  {
    name: 'an image whose size is a lie',
    code: `
class Lying(Image.Image):
    size = property(lambda self: (4, 4))
    width = height = 4
image = Lying()
image.im = Image.new("RGB", (9000, 9000)).im
image._mode = "RGB"
image._size = (4, 4)
display(image)`,
  },
  {
    name: 'an image that writes its own file',
    code: `
class Own(Image.Image):
    mode = "RGB"
    size = (4, 4)
    def convert(self, *_, **__):
        return self
    def resize(self, *_, **__):
        return self
    def save(self, file, *_, **__):
        file.write(b"no image" * 1000)
display(Own())`,
    outcomes: ['ok', 'exception', 'policy'],
  },
  {
    name: 'an image with a large profile and large comments',
    code: `
image = Image.new("RGB", (4, 4))
image.info.update(icc_profile=os.urandom(40_000_000), exif=os.urandom(60_000), comment="x" * 10_000_000)
display(image)`,
    afterwards: bytesAtMost(1_000_000),
  },
  {
    name: 'more images than a call may give',
    code: 'for number in range(500):\n    display(Image.new("L", (32, 32), number % 256))',
    outcomes: ['ok'],
    afterwards: (_, { images }) => {
      expect(images).toHaveLength(8);
    },
  },
  {
    name: 'more figures than memory holds',
    session: { limits: { callSeconds: 20, memoryMib: 512 } },
    code: 'from matplotlib import pyplot\nfor _ in range(3):\n    pyplot.figure(figsize=(400, 400), dpi=100)',
    outcomes: ['exception', 'memory'],
    afterwards: noImage,
  },
  {
    name: 'images in a list that holds itself',
    code: 'ring = [Image.new("L", (2, 2))]\nring.append(ring)\nring',
    outcomes: ['ok'],
    afterwards: noImage,
  },
];

runProbes(probes);
