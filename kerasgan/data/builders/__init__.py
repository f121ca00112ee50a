"""tensorflow-datasets builders; importing this registers them with `tfds.load`."""

from kerasgan.data.builders.coyo import Coyo
from kerasgan.data.builders.files import Coco, Folder, Table, WebDataset
from kerasgan.data.builders.flickr import Flickr8k, Flickr30k
from kerasgan.data.builders.scenes import Scenes

BUILDERS = {
    builder.name: builder
    for builder in (
        *(Scenes, Flickr30k, Flickr8k, Table, Folder, Coco, WebDataset),
        Coyo,
    )
}
